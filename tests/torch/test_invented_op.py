"""An invented op goes through every command by its contract alone, and all output is right."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from conftest import NET, Project
from invented import BLEND, invented
from test_memory import hold_against_torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from inception_dsl import driver
from inception_dsl.analysis import measure_depths, measure_fields, measure_state
from inception_dsl.bridge import make_module
from inception_dsl.bridge.weights import carry_weights, read_plan
from inception_dsl.cli import main
from inception_dsl.emit.report.measures import MEASURES
from inception_dsl.ops import OPS

__all__ = ["invented"]

SPEC = """\
inception: 1
input: 12x10x3
defaults: {conv: {norm: batchnorm, act: relu}}
network:
  - stem: 3x3 conv (8 stride 2)
  - mix:
      branches:
        left: 3x3 conv (4)
        right: 1x1 conv (2)
  - blend: blend (eps 0.001)
  - tail: 3x3 conv (5)
  - global avgpool
  - linear (7)
"""

pytestmark = pytest.mark.usefixtures("invented")


@pytest.fixture
def there(here: Project) -> Project:
    """The project as the working folder, with a spec of the invented op."""
    here.write(NET, SPEC)
    return here


def run(*arguments: str) -> int:
    """Run a command in this process, where the op is known."""
    return main(list(arguments))


def module_of(project: Project, name: str = NET) -> nn.Module:
    found = project.check(name)
    return make_module(driver.emit_module(found), found.model.name)


def test_it_is_checked_and_nothing_is_found(
    there: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", NET) == 0
    assert "net: fine" in capsys.readouterr().out


def test_its_words_and_names_are_known(there: Project) -> None:
    there.write(NET, SPEC.replace("blend (eps", "blend (epz"))
    assert "`blend` knows no word `epz`" in there.rendering()
    assert "write `eps`" in there.rendering()
    there.write(NET, SPEC.replace("blend: blend (eps 0.001)", "blend: melange"))
    assert "write `blend`" in there.rendering()


def test_its_cost_is_counted_as_torch_does(there: Project) -> None:
    found = there.check()
    report = driver.measure(NET, folder=there.root).cost
    (row,) = (row for row in report.rows if row.path == "blend")
    assert (row.label, row.op) == ("blend (eps 0.001)", "blend")
    assert (row.params, row.weights, row.macs) == (36, 36, 36 * 30)
    assert dict(row.flops_by_kind) == {"mac": 2 * 36 * 30, "blend": 5 * 180}
    module = make_module(driver.emit_module(found), found.model.name).eval()
    assert report.totals.params == sum(p.numel() for p in module.parameters())
    with FlopCounterMode(display=False) as counter:
        module(torch.zeros(1, 3, 12, 10))
    assert counter.get_total_flops() == 2 * report.totals.macs


def test_every_column_and_format_of_flops_has_it(
    there: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = ",".join(MEASURES)
    for format in ("table", "markdown", "csv", "json"):
        for by in ("stage", "block", "op", "path"):
            assert run("flops", NET, "--columns", columns, "--by", by, "--format", format) == 0
            assert "blend" in capsys.readouterr().out or by == "block"
    assert run("flops", NET, "--columns", columns, "--by", "path", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)


def test_its_units_see_the_whole_map(there: Project) -> None:
    model = there.check().model
    field = measure_fields(model)["blend"]
    assert field.height is not None
    assert field.width is not None
    assert (field.height.stride, field.width.stride) == (0, 0)
    assert seen_by_one_unit(module_of(there)) == 12 * 10
    assert field.height.start <= 0
    assert field.height.start + field.height.size >= 12
    assert field.width.start + field.width.size >= 10


def seen_by_one_unit(module: nn.Module) -> int:
    """Count the pixels that one unit behind the blend has a gradient for."""
    module = module.eval()
    for parameter in module.parameters():
        nn.init.uniform_(parameter, 0.1, 1)
    units: list[Tensor] = []
    module.get_submodule("blend").register_forward_hook(lambda *given: units.append(given[2]))
    image = torch.rand(1, 3, 12, 10, requires_grad=True)
    module(image)
    units[0][0, 0, 0, 0].backward()  # type: ignore[no-untyped-call]
    assert image.grad is not None
    return int((image.grad.abs().sum(1) > 0).sum())


def test_it_counts_in_the_depth(there: Project) -> None:
    depths = measure_depths(there.check().model)
    assert depths["blend"] == depths["mix.concat"] + 1


def test_its_memory_is_what_torch_holds_and_saves(there: Project) -> None:
    hold_against_torch(there.check(), batch=3)


def test_its_tensors_have_the_keys_and_shapes_of_torch(there: Project) -> None:
    module = module_of(there)
    state = measure_state(there.check().model.graph)
    assert {key: tensor.shape for key, tensor in state.items()} == {
        key: tuple(tensor.shape) for key, tensor in module.state_dict().items()
    }
    learnt = {key for key, tensor in state.items() if tensor.is_learnt}
    assert learnt == {key for key, _ in module.named_parameters()}


def test_it_is_built_and_verified(there: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("build", "--verify", NET) == 0
    (module,) = there.root.glob("generated/net/*.py")
    assert "self.blend = nn.Sequential(" in module.read_text()
    assert "nn.GroupNorm(1, 6, eps=0.001, affine=False)" in module.read_text()
    cost = (there.root / "generated/net/cost.md").read_text()
    assert "5 a value: a norm over all values, a sigmoid" in cost
    assert run("build", "--check", NET) == 0


def test_a_wrong_answer_does_not_verify(
    there: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(OPS, BLEND.name, replace(BLEND, state=None))
    assert run("build", "--verify", NET) == 1
    assert "blend.1.weight" in capsys.readouterr().err


@pytest.mark.parametrize("detail", ["schema", "blocks", "poster", "full"])
@pytest.mark.parametrize("format", ["svg", "mermaid"])
def test_it_is_drawn(
    there: Project, detail: str, format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("render", NET, "--detail", detail, "--format", format) == 0
    drawn = capsys.readouterr().out
    assert "Blend of All" in drawn
    for cost in ("params", "macs", "memory"):
        assert run("render", NET, "--detail", detail, "--cost", cost) == 0


def test_it_is_resolved_and_formatted(there: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("resolve", NET) == 0
    assert "blend: blend (eps 0.001)" in capsys.readouterr().out
    assert run("fmt", NET) == 0
    assert (there.root / NET).read_text() == SPEC


REORDERED = SPEC.replace(
    "        left: 3x3 conv (4)\n        right: 1x1 conv (2)\n",
    "        right: 1x1 conv (2)\n        left: 3x3 conv (4)\n",
)


@dataclass(frozen=True)
class Carried:
    """Two networks, the new one with the old one's weights as far as the plan carries them."""

    old: nn.Module
    new: nn.Module
    document: Any
    plan: Any

    @property
    def fresh(self) -> dict[str, str]:
        """The tensors that are left as they were made, and why."""
        return dict(self.plan["fresh"])

    def is_same(self) -> bool:
        """Tell whether both give the same."""
        image = torch.rand(2, 3, 12, 10)
        return torch.allclose(self.old(image), self.new(image), atol=1e-5)


def carried(there: Project, old: str, new: str, capsys: pytest.CaptureFixture[str]) -> Carried:
    """Compare two specs, write the plan, and carry a checkpoint over by it."""
    there.write("specs/old.yaml", old)
    there.write("specs/new.yaml", new)
    before, after = module_of(there, "specs/old.yaml"), module_of(there, "specs/new.yaml")
    for module in (before, after):
        for tensor in module.state_dict().values():
            if tensor.is_floating_point():
                nn.init.uniform_(tensor, 0.1, 1)
    plan = there.root / "plan.json"
    arguments = ("specs/old.yaml", "specs/new.yaml", "--weights", str(plan), "--fail-on", "never")
    assert run("diff", *arguments, "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    state = carry_weights(read_plan(plan.read_text()), before.state_dict(), after.state_dict())
    after.load_state_dict(state)
    return Carried(before.eval(), after.eval(), document, json.loads(plan.read_text()))


def test_the_weights_follow_the_order_of_its_channels(
    there: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    done = carried(there, SPEC, REORDERED, capsys)
    assert done.fresh == {}
    assert done.is_same()


def test_no_weights_follow_where_the_order_cannot_be_made_good(
    there: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    halved = "blend: halves"
    old, new = (text.replace("blend: blend (eps 0.001)", halved) for text in (SPEC, REORDERED))
    done = carried(there, old, new, capsys)
    assert done.fresh.keys() == {"blend.weight", "blend.bias", "tail.conv.weight"}
    assert all("no recipe can restore" in why for why in done.fresh.values())


def test_a_changed_word_of_it_is_told_as_torch_feels_it(
    there: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    done = carried(there, SPEC, SPEC.replace("eps 0.001", "eps 1000"), capsys)
    findings = done.document["comparisons"][0]["findings"]
    (finding,) = (one for one in findings if one["at"] == "blend")
    assert finding["category"] == "NUMERICS"
    assert "blend (eps 0.001 -> 1000)" in finding["what"]
    assert done.fresh == {}
    assert not done.is_same()


def test_it_comes_and_goes(there: Project, capsys: pytest.CaptureFixture[str]) -> None:
    without = SPEC.replace("  - blend: blend (eps 0.001)\n", "")
    assert carried(there, without, SPEC, capsys).fresh == {"blend.1.weight": "a new step"}
    assert carried(there, SPEC, without, capsys).fresh == {}
    for format in ("text", "markdown", "github", "sarif", "svg"):
        assert run("diff", "specs/old.yaml", "specs/new.yaml", "--format", format) in {0, 1}
        assert "blend" in capsys.readouterr().out.lower()


AS_NORM = SPEC.replace("norm: batchnorm", "norm: halves").replace("conv (5)", "conv (6)")


def test_it_is_the_norm_of_a_conv(there: Project, capsys: pytest.CaptureFixture[str]) -> None:
    there.write(NET, AS_NORM)
    hold_against_torch(there.check(), batch=3)
    assert run("build", "--verify", NET) == 0
    model = there.check().model
    assert [key for key in measure_state(model.graph) if key.startswith("tail.")] == [
        "tail.conv.weight",
        "tail.hv.weight",
        "tail.hv.bias",
    ]
    field = measure_fields(model)["stem"]
    assert field.height is not None
    assert field.height.stride == 0
    assert field.height.size >= 12
    capsys.readouterr()
    assert run("render", NET, "--detail", "full", "--format", "mermaid") == 0
    assert "HV" not in capsys.readouterr().out  # most convs have it: it goes without saying
    there.write(NET, AS_NORM.replace("conv (6)", "conv (6 norm batchnorm)"))
    assert run("render", NET, "--detail", "full", "--format", "mermaid") == 0
    assert "(6 BN)" in capsys.readouterr().out


def test_a_norm_may_refuse_what_its_conv_gives(there: Project) -> None:
    there.write(NET, AS_NORM.replace("conv (6)", "conv (5)"))
    assert "halves of 5 channels are no halves" in there.rendering()


def test_no_weight_is_folded_with_a_norm_that_depends_on_its_input(
    there: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    other = AS_NORM.replace("conv (6)", "conv (6 norm none)")
    gone = carried(there, AS_NORM, other, capsys)
    assert gone.fresh.keys() == {"tail.weight", "tail.bias"}
    come = carried(there, other, AS_NORM, capsys)
    assert come.fresh.keys() == {"tail.hv.weight", "tail.hv.bias"}
    batch = AS_NORM.replace("conv (6)", "conv (6 norm batchnorm)")
    swapped = carried(there, batch, AS_NORM, capsys)
    assert swapped.fresh.keys() == {"tail.hv.weight", "tail.hv.bias"}
    assert "tail.conv.weight" in swapped.plan["tensors"]
