"""Archives that hold no exported program, or a damaged one. Nothing of them is unpickled."""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from inception_dsl.diagnostics import SpecError
from inception_dsl.driver.importing import Imported, import_target


def tensor(*sides: int) -> dict[str, Any]:
    return {"dtype": 7, "sizes": [{"as_int": side} for side in sides]}


def argument(name: str, kind: str, value: Any) -> dict[str, Any]:
    return {"name": name, "arg": {kind: value}, "kind": 1}


def node(target: str, output: str, *inputs: dict[str, Any], stack: str = "") -> dict[str, Any]:
    return {
        "target": f"torch.ops.aten.{target}",
        "inputs": list(inputs),
        "outputs": [{"as_tensor": {"name": output}}],
        "metadata": {"nn_module_stack": stack},
    }


def program(**changes: Any) -> dict[str, Any]:
    """A program of one convolution and a relu; `changes` are of its graph."""
    graph = {
        "nodes": [
            node(
                "conv2d.default",
                "conv",
                argument("input", "as_tensor", {"name": "x"}),
                argument("weight", "as_tensor", {"name": "p_w"}),
                stack="L,,a.Net;L__conv,conv,torch.nn.modules.conv.Conv2d",
            ),
            node(
                "relu_.default",
                "y",
                argument("self", "as_tensor", {"name": "conv"}),
                stack="L,,a.Net",
            ),
        ],
        "tensor_values": {
            "x": tensor(1, 3, 8, 8),
            "p_w": tensor(4, 3, 3, 3),
            "conv": tensor(1, 4, 6, 6),
            "y": tensor(1, 4, 6, 6),
        },
        **changes,
    }
    parameter = {"arg": {"name": "p_w"}, "parameter_name": "conv.weight"}
    signature = {
        "input_specs": [
            {"parameter": parameter},
            {"user_input": {"arg": {"as_tensor": {"name": "x"}}}},
        ],
        "output_specs": [{"user_output": {"arg": {"as_tensor": {"name": "y"}}}}],
    }
    return {"graph_module": {"graph": graph, "signature": signature}, "torch_version": "2.14"}


def pack(graph: object, name: str = "net/models/model.json") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(name, graph if isinstance(graph, bytes) else json.dumps(graph))
    return data.getvalue()


def read(data: bytes, folder: Path) -> Imported:
    (folder / "net.pt2").write_bytes(data)
    return import_target("net.pt2", folder=folder)


def test_the_graph_is_read_as_data(tmp_path: Path) -> None:
    imported = read(pack(program()), tmp_path)
    assert "3x3 conv (4 V) -> 6x6x4" in imported.text
    assert "title: Net" in imported.text
    assert "params: 108, macs: 3888" in imported.text


class _Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('unpickled')",))


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    data = io.BytesIO(pack(program()))
    with zipfile.ZipFile(data, "a") as archive:
        archive.writestr("net/data/sample_inputs/model.pt", pickle.dumps(_Trap()))
        archive.writestr("net/data/weights/weight_0", pickle.dumps(_Trap()))
    assert "3x3 conv" in read(data.getvalue(), tmp_path).text


def replaced(index: int, **changes: Any) -> dict[str, Any]:
    """A program whose node of an index differs."""
    root = program()
    nodes: list[dict[str, Any]] = root["graph_module"]["graph"]["nodes"]
    nodes[index] = {**nodes[index], **changes}
    return root


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        pack(program())[:-30],
        pack(program(), "net/other.json"),
        pack(b"{"),
        pack(b"[" * 100_000),
        pack(b'{"graph_module": 3}'),
        pack([1, 2]),
        pack(program(nodes=3)),
        pack(program(tensor_values={})),
        pack(program(tensor_values={"x": tensor(1, 3, 10**12, 8)})),
        pack(program(tensor_values={"x": tensor(0, 3, 8, 8)})),
        pack(replaced(0, inputs=[argument("input", "as_tensor", {"name": "y"})])),
        pack(replaced(0, inputs=[argument("input", "as_int", 3)])),
        pack(replaced(0, outputs=[{"as_tensor": {"name": "x"}}])),
        pack(replaced(0, metadata=3)),
        pack(
            replaced(
                0,
                inputs=[
                    argument("input", "as_tensor", {"name": "x"}),
                    argument("weight", "as_int", 3),
                ],
            )
        ),
    ],
    ids=range(17),
)
def test_a_damaged_archive_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        read(data, tmp_path)
    assert {one.code for one in caught.value.diagnostics} <= {"E705", "E706"}


def test_an_unknown_operator_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        read(pack(replaced(1, target="torch.ops.aten.cumsum.default")), tmp_path)
    (found,) = caught.value.diagnostics
    assert found.message == "the language has no word for `cumsum` in `Net`, once"


@pytest.mark.parametrize("kind", ["graph", "members"])
def test_a_hostile_archive_is_refused_within_bounds(kind: str, tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        if kind == "graph":
            archive.writestr("net/models/model.json", b"[[],[],[]," * 50_000_000)
        else:
            archive.writestr("net/models/model.json", b"{}")
    text = data.getvalue()
    if kind == "members":
        text = text[:-22] + b"PK\x01\x02" * 2_000_000 + text[-22:]
    (tmp_path / "net.pt2").write_bytes(text)
    program = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (10, 10))\n"
        "from inception_dsl.cli import main\n"
        "code = main(['flops', 'net.pt2'])\n"
        "(used,) = [line for line in open('/proc/self/status') if line.startswith('VmHWM')]\n"
        "assert int(used.split()[1]) < 1_000_000, used\n"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error[E706]"), done.stderr
