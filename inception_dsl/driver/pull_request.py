"""The pull request that a job of GitHub Actions runs for, and its one comment.

The facts come from variables of the job and from the file of its event. They are untrusted: a hash
must be a hash, a number a number. Two calls of GitHub's interface keep one comment up to date: the
list of the comments, and the comment that is written or replaced. A third tells whose the token is,
where a person's comment looks like ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.spec.disk import DISK
from inception_dsl.spec.git import find_object
from inception_dsl.spec.git_history import (
    fetch_commit,
    fetch_history,
    find_common_commit,
    find_merged_base,
    is_commit_name,
)

MARK = "<!-- inception-dsl review -->"
"""The first line of the comment, by which it is found again."""

MAX_EVENT = 10_000_000
"""Maximum number of bytes of an event, and of an answer of GitHub."""

MAX_PAGES = 30
"""Maximum number of pages of comments, 100 on each, that are searched."""

SECONDS = 20
"""Maximum number of seconds that GitHub may take for an answer."""

_REPOSITORY = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
_URL = re.compile(r"https?://[A-Za-z0-9.:/_-]+")


class JobEvent(NamedTuple):
    """The event of a job.

    Attributes:
        base: the hash of the commit that the change is compared with.
        number: the number of the pull request; None for a push.
        change: the hash of the change's last commit; None if the event does not tell.
    """

    base: str
    number: int | None
    change: str | None = None


class Forge(NamedTuple):
    """A repository on GitHub, as a job may call it.

    Attributes:
        api: the address of GitHub's interface.
    """

    api: str
    repository: str
    token: str


def read_event(environment: Mapping[str, str]) -> JobEvent:
    """Return the event of the job.

    Raises:
        SpecError: E009, it names no commit to compare with.
    """
    path = environment.get("GITHUB_EVENT_PATH", "")
    try:
        event = json.loads(DISK.read(Path(path).resolve(), MAX_EVENT))
    except (OSError, ValueError, RecursionError):
        event = None
    pull, group = _get(event, "pull_request"), _get(event, "merge_group")
    base, change, number = _get(event, "before"), _get(event, "after"), None
    if pull:
        base, change = _get(pull, "base", "sha"), _get(pull, "head", "sha")
        number = _get(pull, "number")
    elif group:  # of a queue of pull requests
        base, change = _get(group, "base_sha"), _get(group, "head_sha")
    if not isinstance(base, str) or not is_commit_name(base) or not base.strip("0"):
        message = "the event of the job names no commit to compare with"
        help = "run it for `pull_request`, `merge_group` or `push`, or give `--against REV`"
        raise SpecError([Diagnostic("E009", message, help=help)])
    is_number = isinstance(number, int) and not isinstance(number, bool) and number > 0
    is_name = isinstance(change, str) and is_commit_name(change)
    return JobEvent(base, number if is_number else None, change if is_name else None)


def find_base(event: JobEvent, folder: Path) -> str:
    """Return the commit that the change of an event is compared with.

    A job checks out a merge of the change into its base. The event knows the base as it was when
    the change was pushed; the merge may be into a later one, whose changes are not of the pull
    request. If a job checks out the change alone, it is where the change began.

    Raises:
        SpecError: E009, git does not get the commits, or the change is not checked out.
    """
    merged = find_merged_base(event.change, folder) if event.change else None
    if merged is not None:
        fetch_commit(merged, folder)
        return merged
    fetch_commit(event.base, folder)
    if event.number is not None and find_object(folder, "HEAD") == event.base:
        message = "the base of the pull request is checked out, and not its change"
        help = f"run the job for `pull_request`, or check out `refs/pull/{event.number}/merge`"
        raise SpecError([Diagnostic("E009", message, help=help)])
    common = find_common_commit(event.base, folder)
    if common is None and event.number is not None:
        fetch_history(folder)
        common = find_common_commit(event.base, folder)
    return common or event.base


def _get(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def find_forge(environment: Mapping[str, str]) -> Forge | None:
    """Return the repository that the job may call; None if it has no token for it."""
    api = environment.get("GITHUB_API_URL", "https://api.github.com").rstrip("/")
    repository, token = environment.get("GITHUB_REPOSITORY", ""), environment.get("GITHUB_TOKEN")
    is_whole = _URL.fullmatch(api) and _REPOSITORY.fullmatch(repository)
    return Forge(api, repository, token) if is_whole and token else None


def keep_comment(forge: Forge, number: int, body: str, *, is_needed: bool) -> str:
    """Write the comment of a pull request, or replace the one that is there.

    Args:
        is_needed: write one if there is none yet.

    Returns:
        A sentence on what was done, or on why it could not be.
    """
    from urllib.error import HTTPError, URLError

    issue = f"repos/{forge.repository}/issues"
    document = {"body": f"{MARK}\n{body}"}
    try:
        present = _find_comment(forge, f"{issue}/{number}/comments")
        if present is not None:
            _call(forge, "PATCH", f"{issue}/comments/{present}", document)
            return "the comment of the pull request is up to date"
        if not is_needed:
            return "there is nothing to comment on"
        _call(forge, "POST", f"{issue}/{number}/comments", document)
    except HTTPError as error:
        if error.code in (401, 403, 404):
            return (
                "the token may not comment, as for a pull request from a fork: "
                "see the summary of the job"
            )
        return f"the comment could not be written: GitHub answers {error.code}"
    except (URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return f"the comment could not be written: {reason}"
    return "the pull request has a comment"


def _find_comment(forge: Forge, path: str) -> int | None:
    """Return the number of the comment that an earlier job has written.

    The token of a job writes as a bot. Anybody may write a comment that begins with the mark, so
    one of a person counts only if the token is that person's.
    """
    owner: str | None = None
    for page in range(1, MAX_PAGES + 1):
        comments = _call(forge, "GET", f"{path}?per_page=100&page={page}")
        if not isinstance(comments, list):
            raise ValueError("GitHub gives no list of comments")
        for comment in comments:
            body, number = _get(comment, "body"), _get(comment, "id")
            if not isinstance(body, str) or not body.startswith(MARK):
                continue
            is_own = _get(comment, "user", "type") == "Bot"
            if not is_own:
                owner = _find_owner(forge) if owner is None else owner
                is_own = bool(owner) and _get(comment, "user", "login") == owner
            if is_own and isinstance(number, int):
                return number
        if len(comments) < 100:
            break
    return None


def _find_owner(forge: Forge) -> str:
    """Return the name of the person whose token it is; empty for the token of a job."""
    from urllib.error import HTTPError

    try:
        login = _get(_call(forge, "GET", "user"), "login")
    except HTTPError:
        return ""
    return login if isinstance(login, str) else ""


def _call(forge: Forge, method: str, path: str, document: object = None) -> Any:
    from urllib.request import Request, urlopen

    request = Request(  # noqa: S310 - the address is http or https
        f"{forge.api}/{path}",
        data=None if document is None else json.dumps(document).encode(),
        method=method,
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {forge.token}",
            "Content-Type": "application/json",
            "User-Agent": "inception-dsl",
            "X-GitHub-Api-Version": "2022-11-28",
        },
    )
    with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
        return json.loads(answer.read(MAX_EVENT))
