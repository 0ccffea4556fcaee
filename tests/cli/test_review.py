"""The review of a pull request: a local repository, a recorded event, a stand-in for GitHub."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from test_formats import sarif_schema

from inception_dsl.cli import main
from inception_dsl.driver.pull_request import MARK, read_event

ROOT = Path(__file__).parents[2]
SPEC = """\
inception: 1
name: net
input: 8x8x3
network:
  - conv: 1x1 conv (4)
  - pool: 3x3 avgpool
"""
FILES = ["changes.json", "changes.svg", "check.json", "comment.md", "findings.sarif"]

Captured = pytest.CaptureFixture[str]


@dataclass
class GitHub:
    """A stand-in for the two calls of GitHub's interface.

    `comments` are those of the pull request; `calls` what was asked for; `refusal` a status;
    `login` the person whose token it is, if it is one's.
    """

    comments: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    refusal: int = 0
    login: str = ""

    def answer(self, method: str, path: str, document: Any) -> tuple[int, Any]:
        self.calls.append(f"{method} {path}")
        if self.refusal and method != "GET":
            return self.refusal, {"message": "Resource not accessible by integration"}
        if path == "/user":
            return (200, {"login": self.login}) if self.login else (403, {"message": "no user"})
        if method == "GET":
            page = int(re.findall(r"[?&]page=(\d+)", path)[0])
            return 200, self.comments[100 * (page - 1) : 100 * page]
        if method == "POST":
            user = {"type": "User", "login": self.login} if self.login else {"type": "Bot"}
            new = {"id": 1000 + len(self.comments), "user": user, **document}
            self.comments.append(new)
            return 201, new
        (old,) = (each for each in self.comments if path.endswith(f"/comments/{each['id']}"))
        old.update(document)
        return 200, old


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    stand_in = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            assert self.headers["Authorization"] == "Bearer secret"
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            document = json.loads(text) if text else None
            status, result = stand_in.answer(self.command, self.path, document)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(result).encode())

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815

        def log_message(self, format: str, *arguments: object) -> None:
            """Prints nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("GITHUB_REPOSITORY", "octo/nets")
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    yield stand_in
    server.shutdown()
    thread.join()
    server.server_close()


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"]
    command = ["git", *who, *words]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@dataclass
class Checkout:
    """A shallow clone of a pull request, as `actions/checkout` makes it, with its event."""

    folder: Path
    temporary: Path

    @property
    def review(self) -> Path:
        return self.temporary / "inception-dsl-review"


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    folder = tmp_path / "origin"
    (folder / "specs").mkdir(parents=True)
    (folder / "pyproject.toml").write_text('[tool.inception-dsl.diff]\nfail-on = ["NUMERICS"]\n')
    (folder / "specs/net.yaml").write_text(SPEC)
    (folder / "specs/same.yaml").write_text(SPEC.replace("name: net", "name: same"))
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "uploadpack.allowReachableSHA1InWant", "true")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def check_out(
    origin: Path,
    spec: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    branch: str = "merge",
    later: str | None = None,
) -> Checkout:
    """Opens a pull request with another spec, and clones a branch, one commit deep.

    Args:
        branch: the clone is of the `merge` of the `change`, of the change alone, or of `main`.
        later: another text of the second spec, by which main goes on before the merge.
    """
    tmp_path = origin.parent
    base = git(origin, "rev-parse", "HEAD")
    git(origin, "checkout", "-q", "-b", "change")
    (origin / "specs/net.yaml").write_text(spec)
    git(origin, "commit", "-q", "-a", "-m", "a change")
    head = git(origin, "rev-parse", "HEAD")
    git(origin, "checkout", "-q", "main")
    if later is not None:
        (origin / "specs/same.yaml").write_text(later)
        git(origin, "commit", "-q", "-a", "-m", "later")
    git(origin, "checkout", "-q", "-b", "merge", "main")
    git(origin, "merge", "-q", "--no-ff", "-m", "merged", "change")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth=1", f"--branch={branch}", f"file://{origin}", str(clone))
    event = tmp_path / "event.json"
    title = "$(touch hacked) `touch hacked` ${{ 1 }}"
    ends = {"base": {"sha": base, "ref": "main"}, "head": {"sha": head, "ref": "change"}}
    event.write_text(json.dumps({"pull_request": {"number": 7, "title": title, **ends}}))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(temporary / "summary.md"))
    monkeypatch.setenv("RUNNER_TEMP", str(temporary))
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monkeypatch.chdir(clone)
    return Checkout(clone, temporary)


def run(checkout: Checkout) -> int:
    return main(["review", "--github", "-o", str(checkout.review)])


POOLED = SPEC.replace("avgpool", "avgpool (count_pad)")


def test_a_pull_request_has_one_comment_that_stays_up_to_date(
    origin: Path, github: GitHub, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    others = [{"id": n, "user": {"type": "User"}, "body": f"{MARK} {n}"} for n in range(1, 151)]
    github.comments = [*others]
    checkout = check_out(origin, POOLED, monkeypatch)
    assert run(checkout) == 1
    output, errors = capsys.readouterr()
    assert errors == "the pull request has a comment\n"
    assert re.search(r"^::error file=specs/net.yaml,line=6,.*title=D721 ", output, re.MULTILINE)
    assert "changes against" in output
    *_, comment = github.comments
    base = git(origin, "rev-parse", "main")
    assert comment["body"].startswith(f"{MARK}\n### against {base[:12]}: ")
    assert base not in comment["body"]
    assert "NUMERICS" in comment["body"]
    comments = "/repos/octo/nets/issues/7/comments"
    pages = [f"GET {comments}?per_page=100&page={page}" for page in (1, 2)]
    assert github.calls == [pages[0], "GET /user", pages[1], f"POST {comments}"]
    assert sorted(path.name for path in checkout.review.iterdir()) == FILES
    log = json.loads((checkout.review / "findings.sarif").read_text())
    jsonschema.validate(log, sarif_schema())
    assert [result["ruleId"] for result in log["runs"][0]["results"]] == ["D721"]
    assert (checkout.review / "changes.svg").read_text().startswith("<svg ")
    assert "NUMERICS" in (checkout.temporary / "summary.md").read_text()

    (checkout.folder / "specs/net.yaml").write_text(SPEC)
    github.calls.clear()
    assert run(checkout) == 0
    patch = f"PATCH /repos/octo/nets/issues/comments/{comment['id']}"
    assert github.calls == [pages[0], "GET /user", pages[1], patch]
    assert len(github.comments) == 151
    assert "2 the same" in github.comments[-1]["body"]


def test_a_comment_by_the_token_of_a_person_stays_one(
    origin: Path, github: GitHub, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    github.login = "reviewer"
    other = {"id": 1, "user": {"type": "User", "login": "other"}, "body": f"{MARK} mine"}
    github.comments = [other]
    checkout = check_out(origin, POOLED, monkeypatch)
    assert run(checkout) == run(checkout) == 1
    assert len(github.comments) == 2
    assert github.comments[0]["body"] == f"{MARK} mine"


@pytest.mark.parametrize("branch", ["merge", "change"])
def test_a_base_that_has_gone_on_is_no_part_of_the_change(
    branch: str,
    origin: Path,
    github: GitHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
) -> None:
    """The event knows the base as it was when the change was pushed."""
    later = SPEC.replace("name: net", "name: same").replace("(4)", "(9)")
    checkout = check_out(origin, POOLED, monkeypatch, branch=branch, later=later)
    assert (checkout.folder / ".git/shallow").exists()
    assert run(checkout) == 1
    assert "specs: 1 changed, 1 the same\n" in capsys.readouterr().out


def test_a_job_on_the_base_alone_is_an_error(
    origin: Path, github: GitHub, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    checkout = check_out(origin, POOLED, monkeypatch, branch="main")
    assert run(checkout) == 2
    output = capsys.readouterr().out
    assert "title=E009 no-revision::the base of the pull request is checked out" in output
    assert "refs/pull/7/merge" in output


def test_a_change_of_nothing_has_no_comment(
    origin: Path, github: GitHub, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    checkout = check_out(origin, f"{SPEC}# more\n", monkeypatch)
    assert run(checkout) == 0
    assert github.comments == []
    assert capsys.readouterr().err == "there is nothing to comment on\n"


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_token_that_may_only_read_fails_no_job(
    status: int,
    origin: Path,
    github: GitHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
) -> None:
    github.refusal = status
    checkout = check_out(
        origin, SPEC.replace("avgpool", "avgpool  ").replace("(4)", "(5)"), monkeypatch
    )
    assert run(checkout) == 0
    errors = capsys.readouterr().err
    assert ("from a fork" if status < 500 else "GitHub answers 500") in errors
    assert "CHECKPOINT" in (checkout.temporary / "summary.md").read_text()


def test_errors_and_stale_files_are_in_the_comment(
    origin: Path, github: GitHub, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(origin)
    assert main(["build", "-q"]) == 0
    git(origin, "add", "-A")
    git(origin, "commit", "-q", "-m", "built")
    checkout = check_out(origin, SPEC.replace("(4)", "(5)"), monkeypatch)
    assert run(checkout) == 1
    (comment,) = github.comments
    assert "- `generated/net/model.py`\n" in comment["body"]
    (checkout.folder / "specs/net.yaml").write_text(SPEC.replace("conv (4)", "conv (4 norm <b>)"))
    assert run(checkout) == 1
    assert "**error E" in comment["body"]
    assert "net could not be compared" in comment["body"]
    assert "<b>" not in comment["body"]
    assert json.loads((checkout.review / "changes.json").read_text())["not_compared"]


def test_a_review_that_fails_has_a_document(
    origin: Path, github: GitHub, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    checkout = check_out(origin, POOLED, monkeypatch)
    (checkout.folder / "pyproject.toml").write_text("[tool.inception-dsl.chekc]\n")
    assert run(checkout) == 2
    (comment,) = github.comments
    assert "**error E010**" in comment["body"]
    assert "could not be compared with its base" in comment["body"]
    assert "E010" in (checkout.review / "findings.sarif").read_text()


def test_a_comment_fits_however_much_there_is_to_say(
    origin: Path, github: GitHub, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    limit = 3_000
    monkeypatch.setattr("inception_dsl.driver.reviewing.COMMENT_LIMIT", limit)
    renamed = "".join(f"  - a{n}: 1x1 conv ({n + 1})\n" for n in range(30))
    unread = "  - {branches: {a: relu, b: tanh}, order: [a]}\n"
    checkout = check_out(origin, SPEC + renamed + unread, monkeypatch)
    for name in range(4):
        spec = SPEC.replace("name: net", f"name: n{name}")
        (checkout.folder / f"specs/n{name}.yaml").write_text(spec + unread)
    run(checkout)
    (comment,) = github.comments
    assert limit / 3 < len(comment["body"]) <= limit


@pytest.mark.parametrize(
    "event",
    [
        "",
        "[]",
        "{}",
        '{"pull_request": {"base": {"sha": "main; touch x"}}}',
        '{"before": "0000000000000000000000000000000000000000"}',
    ],
)
def test_an_event_without_a_commit_is_an_error(
    event: str, origin: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    path = origin.parent / "event.json"
    path.write_text(event)
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(path))
    monkeypatch.chdir(origin)
    assert main(["review", "--github"]) == 2
    assert "::error title=E009 no-revision::the event of the job names no commit" in (
        capsys.readouterr().out
    )


def test_a_push_is_compared_with_the_commit_before_it(origin: Path, tmp_path: Path) -> None:
    path = tmp_path / "push.json"
    path.write_text(json.dumps({"before": "a" * 40, "after": "b" * 40, "number": 3}))
    assert read_event({"GITHUB_EVENT_PATH": str(path)}) == ("a" * 40, None, "b" * 40)
    group = {"base_sha": "c" * 40, "head_sha": "d" * 40}
    path.write_text(json.dumps({"merge_group": group}))
    assert read_event({"GITHUB_EVENT_PATH": str(path)}) == ("c" * 40, None, "d" * 40)


def test_another_job_reviews_a_change_by_one_command(
    origin: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    (origin / "specs/net.yaml").write_text(POOLED)
    monkeypatch.chdir(origin)
    assert main(["review"]) == 2
    assert capsys.readouterr().err.startswith("error: give `--against REV`, or `--github` in ")
    assert main(["review", "--against", "HEAD", "-o", "out", "-q"]) == 1
    output, errors = capsys.readouterr()
    assert output == (
        "check: 0 errors, 0 warnings, 0 notes\n"
        "generated files: the project keeps none\n"
        "changes against HEAD: specs: 1 changed, 1 the same\n"
        "result: the change fails\n"
    )
    assert errors.startswith("error[D721]: ")
    assert "--> specs/net.yaml:6:" in errors
    assert sorted(path.name for path in (origin / "out").iterdir()) == FILES
    (origin / "generated").mkdir()
    (origin / "specs/net.yaml").write_text(SPEC.replace("conv", "cnov"))
    assert main(["review", "--against", "HEAD", "-q"]) == 1
    assert capsys.readouterr().out == (
        "check: 1 error, 0 warnings, 0 notes\n"
        "generated files: not compared, as there are errors\n"
        "changes against HEAD: specs: 1 the same, 1 could not be compared\n"
        "result: the change fails\n"
    )
    (origin / "generated").rmdir()
    (origin / "specs/net.yaml").write_text(SPEC)
    assert main(["review", "--against", "HEAD", "-q"]) == 0
    assert capsys.readouterr().out.endswith("result: the change passes\n")


def action() -> Any:
    return yaml.safe_load((ROOT / "action.yml").read_text())


def test_no_text_of_an_event_reaches_a_command_line() -> None:
    steps = action()["runs"]["steps"]
    commands = [step["run"] for step in steps if "run" in step]
    assert len(commands) == 2
    assert not any("${{" in command for command in commands)
    assert all(step.get("shell") == "bash" for step in steps if "run" in step)
    given = {expression for step in steps for expression in step.get("env", {}).values()}
    assert all(
        re.fullmatch(r"\$\{\{ (inputs\.\w+|github\.action_path) \}\}", each) for each in given
    )


def test_the_action_runs_end_to_end(
    origin: Path, github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its step runs as GitHub runs it; files of the pull request are never imported."""
    checkout = check_out(origin, POOLED, monkeypatch)
    (checkout.temporary / "inception-dsl").symlink_to(ROOT)
    for name in ("yaml.py", "inception_dsl.py"):
        (checkout.folder / name).write_text("raise SystemExit('hacked')\n")
    (step,) = (each for each in action()["runs"]["steps"] if each.get("id") == "review")
    script = checkout.temporary / "step.sh"
    script.write_text(step["run"])
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
        env={**os.environ, "PATH": path, "WITH_COMMENT": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "title=D721" in done.stdout
    (comment,) = github.comments
    assert "NUMERICS" in comment["body"]
    assert sorted(each.name for each in checkout.review.iterdir()) == FILES
    assert not list(origin.parent.rglob("hacked"))


def test_the_hooks_of_pre_commit_are_commands() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in hooks] == [
        "inception-dsl-check",
        "inception-dsl-fmt",
        "inception-dsl-build",
    ]
    for hook in hooks:
        assert re.match(hook["files"], "specs/net.yaml")
        assert re.match(hook["files"], "ml/specs/blocks/stem.yml")
        assert not re.match(hook["files"], "docs/net.yaml")
