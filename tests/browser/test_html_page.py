"""The page of a network: its data beside the counts, and what a reader does with it in Chromium."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import NET, Project
from playwright.sync_api import Browser, expect
from reader import Reader
from test_without_text import without_origins

from inception_dsl import driver
from inception_dsl.analysis import measure_cost, measure_fields, measure_state
from inception_dsl.cli import main
from inception_dsl.driver import Checked
from inception_dsl.emit.page import write_page
from inception_dsl.resolve import Overrides

HERE = Path(__file__).parent

HOSTILE = "</script><img src=x onerror=alert(1)>"

Json = dict[str, Any]


def read_data(page: str) -> Json:
    """Return the data in a page."""
    found = re.search(r'<script type="application/json" id="network">(.*)</script>\n<script>', page)
    assert found is not None
    data: Json = json.loads(found[1])
    return data


def list_steps(data: Json) -> Iterator[tuple[int, str, Json]]:
    """Yield the number, the path and the element of each step, as the page's script finds them."""

    def walk(elements: list[Json], holder: str, first: int) -> Iterator[tuple[int, str, Json]]:
        for element in elements:
            if "group" in element:
                path = f"{holder}{element['group']}"
                body = data["bodies"][element["body"]]
                yield from walk(body, f"{path}.", first + element["first"])
            elif "paths" in element:
                if "number" in element:
                    yield first + element["number"], f"{holder}{element['paths'][-1]}", element
            else:
                parts = element.get("parallel", [])
                parts += [element[name] for name in ("series", "stub") if name in element]
                parts += [[vertex["element"]] for vertex in element.get("mesh", [])]
                parts += [[element["join"]]] if "join" in element else []
                for part in parts:
                    yield from walk(part, holder, first)

    yield from walk(data["tree"], "", 0)
    yield from walk(data["heads"], "", 0)


def render(found: Checked) -> str:
    return write_page(found.model, found.cost, ())


@pytest.mark.parametrize(
    "name",
    ["googlenet", "inception_v4", "densenet121", "unet", "nasnet_a_mobile", "efficientnet_b0"],
)
def test_each_step_stands_on_the_page_with_its_facts(name: str) -> None:
    found = driver.check(name, folder=HERE)
    data = read_data(render(found))
    rows = {str(row.path): row for row in found.cost.rows}
    fields = measure_fields(found.model)
    nodes = found.model.graph.nodes
    keys: dict[str, list[int]] = {}
    seen = set()
    for number, path, element in list_steps(data):
        node = nodes[number]
        assert path == node.path
        seen.add(path)
        assert (element.get("params", 0), element.get("macs", 0)) == (
            rows[path].params,
            rows[path].macs,
        )
        assert element.get("shape", str(node.type)) == str(node.type)
        field, height = data["fields"][number], fields[path].height
        if field is not None and height is not None:
            assert field[:3] == [height.start, height.size, height.stride]
        keys |= {f"{path}.{key}": shape for key, shape in element.get("tensors", {}).items()}
        line = node.origin.span
        assert line is not None
        assert data["lines"][element["line"]][:2] == [line.source.name, line.line]
    assert {str(node.path) for node in nodes} - seen <= {
        str(node.path) for node in nodes if not rows[str(node.path)].macs
    }
    state = measure_state(found.model.graph)
    assert keys == {key: list(tensor.shape) for key, tensor in state.items()}


@pytest.mark.parametrize(
    ("name", "most"), [("inception_v4", 150_000), ("timm/inception_resnet_v2", 300_000)]
)
def test_a_page_is_small(name: str, most: int) -> None:
    assert len(render(driver.check(name, folder=HERE)).encode()) < most


def test_a_model_that_no_text_wrote_has_all_but_the_lines() -> None:
    found = driver.check("inception_resnet_v2", folder=HERE)
    data = read_data(render(found))
    bare = read_data(write_page(without_origins(found.model), found.cost, ()))
    assert bare["lines"] == []
    for (number, path, step), other in zip(list_steps(data), list_steps(bare), strict=True):
        assert (number, path, {**step, "line": 0}) == (*other[:2], {**other[2], "line": 0})


@pytest.mark.parametrize("choice", [["--block", "inception"], ["--style", "paper"], ["--no-notes"]])
def test_a_choice_without_effect_is_an_error(
    choice: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", "googlenet", "--format", "html", *choice]) == 2
    assert f"`{choice[0]}` has no effect on `html`" in capsys.readouterr().err


@pytest.fixture
def reader(browser: Browser, tmp_path: Path) -> Iterator[Reader]:
    """Return a reader with no page open yet."""
    made = Reader(browser, tmp_path)
    yield made
    made.close()


def test_a_block_opens_into_copies_and_steps_by_the_keyboard_alone(reader: Reader) -> None:
    found = driver.check("inception_v4", folder=HERE)
    page = reader.open(render(found))
    copies = page.get_by_role("button", name="4 x Inception-A, inception_a,")
    copies.focus()
    page.keyboard.press("Enter")
    assert copies.get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")  # the first copy
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    facts = page.get_by_role("complementary", name="Facts")
    expect(facts).to_contain_text("inception_a.0.b1x1.conv.weight 96 x 384 x 1 x 1")
    expect(facts).to_contain_text(f"{96 * 384 + 2 * 96:,} (0.1%)")
    expect(facts).to_contain_text("specs/inception_v4.yaml:")
    seen = measure_fields(found.model)["inception_a.0.b1x1"].height
    assert seen is not None
    expect(facts.get_by_role("img")).to_have_attribute(
        "aria-label", f"a unit in the middle sees {seen.size} x {seen.size} pixels of 299 x 299"
    )
    page.keyboard.press("Escape")
    expect(facts).to_contain_text("12,253,974,624")


def test_a_search_dims_what_does_not_fit(reader: Reader) -> None:
    found = driver.check("inception_v4", folder=HERE)
    rows = list(zip(found.model.graph.nodes, found.cost.rows, strict=True))
    flat = [row for node, row in rows if node.attributes.get("kernel") == (1, 7)]
    page = reader.open(render(found))
    page.keyboard.press("/")
    for query, wanted in (
        ("1x7", len(flat)),
        ("stride 2", sum(node.attributes.get("stride") in (2, (2, 2)) for node, _ in rows)),
        ("> 1M params", sum(row.params > 10**6 for _, row in rows)),
        ("1x7 macs > 70M", sum(row.macs > 7 * 10**7 for row in flat)),
        ("nothing of the kind", 0),
    ):
        page.get_by_role("searchbox").fill(query)
        expect(page.locator("#found")).to_have_text(f"{wanted} steps")
    page.get_by_role("searchbox").fill("1x7")
    closed = page.locator('.box[data-path="inception_b"]')
    assert "hit" in (closed.get_attribute("class") or "")
    assert "dim" in (page.locator('.box[data-path="inception_a"]').get_attribute("class") or "")


def test_an_address_shows_what_its_sender_saw(reader: Reader) -> None:
    text = render(driver.check("googlenet", folder=HERE))
    page = reader.open(text)
    page.get_by_role("button", name="Open all").click()
    page.get_by_label("Shade by").select_option("macs")
    page.locator('.box[data-path="conv1"]').click()
    boxes, address = page.locator(".box").count(), page.url
    again = reader.open(text, f"#{address.partition('#')[2]}")
    again.reload()
    assert again.locator(".box").count() == boxes > 80
    assert again.get_by_label("Shade by").input_value() == "macs"
    assert again.locator("[aria-current]").get_attribute("data-path") == "conv1"
    again.goto(f"{(reader.folder / 'page.html').as_uri()}#open=nowhere&at=nothing&shade=odd")
    expect(again.locator("[aria-current]")).to_have_count(0)


def test_opening_a_block_takes_no_time(reader: Reader) -> None:
    page = reader.open(render(driver.check("timm/inception_resnet_v2", folder=HERE)))
    taken = page.evaluate(
        """() => {
            const begin = performance.now();
            document.querySelector('.box[data-path="stem"]').click();
            document.body.getBoundingClientRect();
            return performance.now() - begin;
        }"""
    )
    assert taken < 100


def test_lines_meet_the_boxes_that_they_lead_to(reader: Reader) -> None:
    """Every branch begins and ends below the bar of its fork, and no two boxes overlap."""
    page = reader.open(render(driver.check("googlenet", folder=HERE)))
    page.get_by_role("button", name="Open all").click()
    boxes = page.evaluate(
        """() => [...document.querySelectorAll('.box')].map((box) => {
            const { left, top, right, bottom } = box.getBoundingClientRect();
            return [left, top, right, bottom];
        })"""
    )
    for place, (left, top, right, bottom) in enumerate(boxes):
        assert left < right
        assert top < bottom
        for other in boxes[:place]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top


def test_texts_of_a_spec_stay_texts(reader: Reader, project: Project) -> None:
    project.write(
        NET,
        f'inception: 1\nname: net\ntitle: "{HOSTILE}"\nsource: "{HOSTILE}"\ninput: 8x8x3\n'
        f'blocks:\n  b:\n    title: "{HOSTILE} b"\n    steps: [1x1 conv (4)]\n'
        f'network:\n  - a: b\n  - c: {{title: "{HOSTILE}", op: 1x1 conv (5)}}  # {HOSTILE}\n',
    )
    page = reader.open(render(project.check()))
    assert page.title() == HOSTILE
    page.get_by_role("button", name="Open all").click()
    page.locator('.box[data-path="c"]').click()
    assert page.locator("img").count() == 0
    expect(page.get_by_role("complementary", name="Facts")).to_contain_text(HOSTILE)


@pytest.mark.parametrize(
    ("name", "size", "batch"),
    [
        ("inception_v4", "331x331", 1),
        ("googlenet", "480x320", 8),
        ("densenet121", "256x193", 2),
        ("unet", "700x604", 1),
        ("nasnet_a_mobile", "331x331", 1),
        ("vgg16", "192x256", 1),
        ("mobilenet_v3_large", "97x65", 3),
        ("shufflenet_v2", "160x161", 1),
    ],
)
def test_another_input_and_batch_are_counted_as_the_spec_counts_them(
    name: str, size: str, batch: int, reader: Reader
) -> None:
    found = driver.check(name, folder=HERE)
    page = reader.open(render(found), f"#size={size}&batch={batch}")
    shown = page.evaluate("() => [resized.total, resized.steps]")
    other = driver.measure(
        name, folder=HERE, overrides=Overrides(input=f"{size}x{found.model.input.channels}")
    )
    cost = measure_cost(other.model, batch=batch)
    assert shown[0] == {"params": cost.totals.params, "macs": cost.totals.macs}
    for step, node, row in zip(shown[1], other.model.graph.nodes, cost.rows, strict=True):
        assert (step["shape"], step["params"], step["macs"]) == (
            str(node.type),
            row.params,
            row.macs,
        )


def test_an_input_is_changed_in_its_field(reader: Reader) -> None:
    page = reader.open(render(driver.check("unet", folder=HERE)))
    page.get_by_label("Input").first.fill("604")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Input, input")).to_contain_text("(604x604x1)")
    expect(page.get_by_role("button", name="Two convolutions, down1,")).to_contain_text(
        "600x600x64"
    )
    page.get_by_label("Input").first.fill("600")
    page.keyboard.press("Enter")
    problem = page.locator("#problem")
    expect(problem).to_contain_text("pixels")
    page.get_by_label("Input").first.fill("large")
    page.keyboard.press("Enter")
    expect(problem).to_have_text("write a size as in 331x331")
    page.get_by_label("Input").first.fill("")
    page.keyboard.press("Enter")
    expect(problem).to_have_text("")
