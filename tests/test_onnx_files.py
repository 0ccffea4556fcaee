"""ONNX files that are written by hand: what is read of them, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from inception_dsl.bridge.traced import OnnxSource
from inception_dsl.diagnostics import MissingExtraError, SpecError
from inception_dsl.driver.importing import Imported, ImportFaultError, import_target

IMAGE = (1, 3, 8, 8)


def make(
    nodes: Sequence[onnx.NodeProto],
    tensors: dict[str, np.ndarray[Any, Any]] | None = None,
    *,
    image: Sequence[int | str] = IMAGE,
    version: int = 20,
    output: Sequence[int | str] | None = None,
) -> onnx.ModelProto:
    """A network that reads `x` and gives `y`."""
    stored = [numpy_helper.from_array(array, name) for name, array in (tensors or {}).items()]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, image)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)],
        stored,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)])


def node(op: str, *inputs: str, out: str = "y", **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, list(inputs), [out], name=f"{op}_{out}", **attributes)


def normal(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(7).normal(size=shape).astype("float32")


def read(model: onnx.ModelProto, folder: Path, *, input: str | None = None) -> Imported:
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    return import_target("net.onnx", folder=folder, input=input)


def refused(model: onnx.ModelProto, folder: Path, *, input: str | None = None) -> list[str]:
    with pytest.raises(SpecError) as caught:
        read(model, folder, input=input)
    return [f"{one.code}: {one.message}" for one in caught.value.diagnostics]


KERNEL = normal(4, 3, 3, 3)


@pytest.mark.parametrize(
    ("made", "step"),
    [
        ([node("Conv", "x", "w")], "3x3 conv (4 V)"),
        ([node("Conv", "x", "w", pads=[1, 1, 1, 1], strides=[2, 2])], "3x3 conv (4 stride 2)"),
        ([node("Conv", "x", "w", auto_pad="SAME_UPPER")], "3x3 conv (4)"),
        ([node("Conv", "x", "w", auto_pad="SAME_UPPER", strides=[2, 2])], "same_tf"),
        ([node("Conv", "x", "w", pads=[0, 0, 1, 1], strides=[2, 2])], "same_tf"),
        ([node("Conv", "x", "w", dilations=[2, 2])], "dilation 2"),
        ([node("MaxPool", "x", kernel_shape=[2, 2], strides=[2, 2])], "2x2 maxpool (stride 2)"),
        ([node("AveragePool", "x", kernel_shape=[3, 3], strides=[1, 1], pads=[1] * 4)], "avgpool"),
        ([node("GlobalAveragePool", "x")], "adaptive avgpool"),
        ([node("Clip", "x", "zero", "six")], "relu6"),
        ([node("HardSwish", "x")], "hardswish"),
        ([node("HardSigmoid", "x", alpha=1 / 6)], "hardsigmoid"),
        ([node("LeakyRelu", "x", alpha=0.2)], "slope: 0.2"),
        ([node("Elu", "x")], "elu"),
        ([node("Selu", "x")], "selu"),
        ([node("Softplus", "x")], "softplus"),
        ([node("Gelu", "x")], "gelu"),
        ([node("Gelu", "x", approximate="tanh")], "tanh: true"),
        ([node("PRelu", "x", "slope")], "prelu"),
        ([node("DepthToSpace", "x9", blocksize=3, mode="CRD")], "pixelshuffle"),
        ([node("Pad", "x", "pads", mode="reflect")], "pad"),
        ([node("Resize", "x", "", "scales", mode="nearest", nearest_mode="floor",
               coordinate_transformation_mode="asymmetric")], "upsample"),
        ([node("LRN", "x", size=5)], "lrn"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_an_operator_is_a_step(made: list[onnx.NodeProto], step: str, tmp_path: Path) -> None:
    tensors = {
        "w": KERNEL,
        "zero": np.array(0, dtype="float32"),
        "six": np.array(6, dtype="float32"),
        "slope": normal(3, 1, 1),
        "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]),
        "scales": np.array([1, 1, 2, 2], dtype="float32"),
        "nine": normal(9, 3, 1, 1),
    }
    if made[0].op_type == "DepthToSpace":
        made = [node("Conv", "x", "nine", out="x9"), *made]
    imported = read(make(made, tensors), tmp_path)
    assert step in imported.text


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (make([node("Relu", "z")]), "E706: `net.onnx` cannot be read: the node `Relu_y` reads `z`"),
        (
            make([node("Add", "x", "a", out="b"), node("Relu", "b", out="a"), node("Relu", "a")]),
            "E706: `net.onnx` cannot be read: the node `Add_b` reads `a`, which nothing before",
        ),
        (
            make([node("Relu", "x", out="a"), node("Relu", "x", out="a"), node("Relu", "a")]),
            "E706: `net.onnx` cannot be read: two nodes make `a`",
        ),
        (make([node("Relu", "x", out="a")]), "no node makes its output `y`"),
        (make([node("Relu", "x")], image=(1, 3, -8, 8)), "E706: `net.onnx` cannot be read: `x`"),
        (make([node("Conv", "x", "w")], {"w": normal(4, 5, 3, 3)}), "does not fit the channels"),
        (make([node("Conv", "x", "w", strides=[0, 0])], {"w": KERNEL}), "no valid window"),
        (make([node("Conv", "x", "w", strides=[2])], {"w": KERNEL}), "no valid window"),
        (make([node("Conv", "x", "w", pads=[-1] * 4)], {"w": KERNEL}), "no valid window"),
        (make([node("Conv", "x", "w", blah=3)], {"w": KERNEL}), "no such attribute `blah`"),
        (make([node("Conv", "x", "w", strides="2")], {"w": KERNEL}), "attribute `strides`"),
        (make([node("Conv", "x")]), "it has 1 inputs"),
        (make([node("Conv", "x", "w")], {"w": normal(4, 3, 9, 9)}), "a tensor of no elements"),
        (make([node("Relu", "x")], output=[1, 3, 9, 9]), "another shape of `y` than 3 x 8 x 8"),
        (make([node("Sin", "x")]), "E705: the language has no word for `Sin` in `net`, once"),
        (make([node("Foo", "x", domain="com.acme")]), "no word for `com.acme.Foo`"),
        (make([node("Relu", "x")], image=(1, 3, 8)), "E705: the language has no word for an input"),
        (make([node("Relu", "x")], image=(1, 3, "h", "w")), "E703: the input `x` of `net.onnx`"),
        (make([node("TopK", "x", "k")], {"k": np.array([1])}), "`TopK_y` is no TopK: it has 1"),
        (make([node("NonZero", "x")]), "`NonZero` in `net`, once"),
        (
            make([node("AveragePool", "x", kernel_shape=[2, 2], pads=[0, 0, 1, 1])]),
            "padding that is not a window's own",
        ),
        (make([node("MatMul", "x", "x")]), "E705"),
        (make([node("Expand", "x", "s")], {"s": np.array([10**9, 10**9])}), "E70"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_file_is_refused_with_its_cause(
    model: onnx.ModelProto, message: str, tmp_path: Path
) -> None:
    (said,) = refused(model, tmp_path)
    assert message in said


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\x3a\xff\xff\xff\xff\x0f",
        b"\x0a" * 1000,
        bytes(range(256)),
        make([node("Relu", "x")]).SerializeToString()[:-5],
        make([node("Relu", "x")]).SerializeToString().replace(b"Relu_y", b"Re\xffu_y"),
    ],
    ids=range(7),
)
def test_bytes_that_are_no_network_are_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(data)
    with pytest.raises(SpecError) as caught:
        import_target("net.onnx", folder=tmp_path)
    assert [one.code for one in caught.value.diagnostics] == ["E706"]


def nest(depth: int) -> onnx.NodeProto:
    """An `If` whose branch holds one, and so on."""
    inner = [node("Relu", "x", out="r")] if depth == 0 else [nest(depth - 1)]
    out = helper.make_tensor_value_info("r", TensorProto.FLOAT, None)
    graph = helper.make_graph(inner, "branch", [], [out])
    return node("If", "c", out="r", then_branch=graph, else_branch=graph)


@pytest.mark.parametrize(("depth", "code"), [(1, "E705"), (6, "E706")])
def test_branches_in_a_graph_are_refused(depth: int, code: str, tmp_path: Path) -> None:
    nodes = [nest(depth), node("Relu", "r")]
    model = make(nodes, {"c": np.array(True)})
    (said,) = refused(model, tmp_path)
    assert said.startswith(code)


def write_hostile(kind: str, path: Path) -> None:
    """Write a file that would take much time or memory."""
    message = onnx.ModelProto()
    message.CopyFrom(make([node("Relu", "x")]))
    match kind:
        case "nodes":
            data = message.SerializeToString()
            one = node("Relu", "y", out="z").SerializeToString()
            graph = message.graph.SerializeToString() + (b"\x0a" + bytes([len(one)]) + one) * 10**6
            message.ClearField("graph")
            size = len(graph)
            length = bytearray()
            while size > 127:
                length.append(size & 127 | 128)
                size >>= 7
            data = message.SerializeToString() + b"\x3a" + bytes([*length, size]) + graph
        case "empty":
            data = b"\x3a\x80\xda\xc4\x09" + b"\x0a\x00" * 10_000_000
        case "dims":
            tensor = message.graph.initializer.add(name="w", data_type=TensorProto.FLOAT)
            tensor.dims.extend([2**40, 2**40])
            data = message.SerializeToString()
        case "axes":
            tensor = message.graph.initializer.add(name="w", data_type=TensorProto.FLOAT)
            tensor.dims.extend([1] * 1_000_000)
            data = message.SerializeToString()
        case "range":
            nodes = [
                node("Range", "a", "b", "c", out="r"),
                node("Reshape", "x", "r"),
            ]
            tensors = {"a": np.array(0), "b": np.array(2**60), "c": np.array(1)}
            data = make(nodes, tensors).SerializeToString()
        case "image":
            data = make([node("Relu", "x")], image=(1, 3, 2**31, 2**31)).SerializeToString()
        case _:
            nodes = [node("Concat", "x", *["x"] * 9_999, axis=1)]
            data = make(nodes).SerializeToString()
    path.write_bytes(data)


@pytest.mark.parametrize("kind", ["nodes", "empty", "dims", "axes", "range", "image", "concat"])
def test_a_hostile_file_is_refused_within_bounds(kind: str, tmp_path: Path) -> None:
    write_hostile(kind, tmp_path / "net.onnx")
    program = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (10, 10))\n"
        "from inception_dsl.cli import main\n"
        "code = main(['flops', 'net.onnx'])\n"
        "(used,) = [line for line in open('/proc/self/status') if line.startswith('VmHWM')]\n"
        "assert int(used.split()[1]) < 1_000_000, used\n"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode in {1, 2}, done.stderr
    assert done.stderr.startswith("error[E"), done.stderr
    assert "Traceback" not in done.stderr


def test_new_norms_with_equal_values_are_several_norms(tmp_path: Path) -> None:
    ones, zeros = np.ones(3, dtype="float32"), np.zeros(3, dtype="float32")
    nodes = [
        node("BatchNormalization", "x", "one", "nil", "nil", "one", out="a"),
        node("BatchNormalization", "a", "one", "nil", "nil", "one"),
    ]
    imported = read(make(nodes, {"one": ones, "nil": zeros}), tmp_path)
    assert "reuse" not in imported.text
    assert "params: 12," in imported.text


def test_new_kernels_with_equal_values_are_several_kernels(tmp_path: Path) -> None:
    nodes = [node("Conv", "x", "w", out="a"), node("Conv", "a", "w")]
    equal = np.ones((3, 3, 1, 1), dtype="float32")
    assert "reuse" not in read(make(nodes, {"w": equal}), tmp_path).text


def test_a_kernel_that_is_read_again_is_reused(tmp_path: Path) -> None:
    nodes = [node("Conv", "x", "w", out="a"), node("Conv", "a", "w")]
    assert "reuse" in read(make(nodes, {"w": normal(3, 3, 1, 1)}), tmp_path).text


def test_an_open_size_needs_an_input(tmp_path: Path) -> None:
    model = make([node("Conv", "x", "w")], {"w": KERNEL}, image=("n", 3, "h", "w"))
    assert refused(model, tmp_path) == ["E703: the input `x` of `net.onnx` is not known"]
    assert "input: 16x24x3" in read(model, tmp_path, input="16x24x3").text
    (said,) = refused(model, tmp_path, input="16x24x4")
    assert said == "E703: the input `x` of `net.onnx` is 3 x h x w, not 16x24x4"


def test_a_fixed_size_stays(tmp_path: Path) -> None:
    model = make([node("Relu", "x")])
    (said,) = refused(model, tmp_path, input="16x16x3")
    assert said == "E703: the input `x` of `net.onnx` is fixed: 8x8x3, not 16x16x3"


def test_weights_in_another_file_are_not_read(tmp_path: Path) -> None:
    model = make([node("Conv", "x", "w")], {"w": KERNEL})
    (tensor,) = model.graph.initializer
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../../../etc/passwd"
    assert "3x3 conv (4 V" in read(model, tmp_path).text


def run_as(monkeypatch: pytest.MonkeyPatch, model: onnx.ModelProto) -> None:
    """Have the outputs of another network compared with those of the spec."""
    from inception_dsl.bridge.exported.onnx import comparing

    data = model.SerializeToString()
    compare = comparing.compare_file

    def compare_other(file: OnnxSource, *rest: Any) -> str | None:
        return compare(replace(file, data=data), *rest)

    monkeypatch.setattr(comparing, "compare_file", compare_other)


def test_outputs_that_differ_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make([node("Conv", "x", "w", out="a"), node("Relu", "a")], {"w": KERNEL})
    other = make([node("Conv", "x", "w", out="a"), node("Sigmoid", "a")], {"w": KERNEL})
    assert [note.code for note in read(made, tmp_path).notes] == ["W625"]
    run_as(monkeypatch, other)
    with pytest.raises(ImportFaultError, match="the outputs differ by"):
        read(made, tmp_path)


def test_outputs_are_not_compared_without_onnxruntime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    notes = read(make([node("Relu", "x")]), tmp_path).notes
    (note,) = [note for note in notes if note.code == "W624"]
    assert note.message.endswith("are not compared: `onnxruntime` is not installed")


def test_values_that_may_be_learnt_are_told(tmp_path: Path) -> None:
    model = make([node("Mul", "x", "gain")], {"gain": normal(3, 1, 1)})
    model.producer_name = "pytorch"
    (note,) = [note for note in read(model, tmp_path).notes if note.notes]
    assert (note.code, note.notes) == ("W625", ("they are `gain`",))


def test_an_onnx_file_needs_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.onnx").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError) as caught:
        import_target("net.onnx", folder=tmp_path)
    assert caught.value.way_out == "pip install 'inception-dsl[onnx]'"


def test_no_torch_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(make([node("Relu", "x")]).SerializeToString())
    program = (
        "import sys\nfrom inception_dsl.cli import main\nassert main(['flops', 'net.onnx']) == 0\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True)


def test_a_file_that_is_not_there_is_no_target(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        import_target("net.onnx", folder=tmp_path)
    assert [one.message for one in caught.value.diagnostics] == ["there is no file `net.onnx`"]


TO_FIRST, TO_LAST = [0, 3, 1, 2], [0, 2, 3, 1]


@pytest.mark.parametrize(
    ("nodes", "steps"),
    [
        ([node("Conv", "t", "w")], "  - 3x3 conv (4 V) -> 6x7x4\n"),
        (
            [node("Conv", "t", "w", out="a"), node("Transpose", "a", perm=TO_LAST)],
            "  - 3x3 conv (4 V) -> 6x7x4\n",
        ),
        (
            [
                node("Conv", "t", "w", out="a"),
                node("Transpose", "a", out="b", perm=TO_LAST),
                node("ReduceMean", "b", out="c", axes=[1, 2], keepdims=0),
                node("MatMul", "c", "m"),
            ],
            "  - global avgpool     -> 4\n  - linear (5 no_bias) -> 5\n",
        ),
        (
            [
                node("Conv", "t", "w", out="a"),
                node("ReduceMean", "a", out="b", axes=[2, 3], keepdims=0),
                node("Reshape", "b", "pixel", out="c"),
                node("Transpose", "c", out="d", perm=TO_FIRST),
                node("Conv", "d", "point", out="e"),
                node("Mul", "e", "a"),
            ],
            "branches: {gate: [1x1 adaptive avgpool, 1x1 conv (4)], skip: identity}",
        ),
    ],
)  # fmt: skip
def test_an_input_may_have_its_channels_last(
    nodes: list[onnx.NodeProto], steps: str, tmp_path: Path
) -> None:
    tensors = {
        "w": KERNEL,
        "m": normal(4, 5),
        "point": normal(4, 4, 1, 1),
        "pixel": np.array([-1, 1, 1, 4]),
    }
    made = [node("Transpose", "x", out="t", perm=TO_FIRST), *nodes]
    imported = read(make(made, tensors, image=("n", 8, 9, 3), version=17), tmp_path)
    assert "input: 8x9x3\n" in imported.text
    assert steps in imported.text
    # onnxruntime ran the file, and its outputs are those of the spec.
    assert [note.code for note in imported.notes] == ["W625", "W628"]


def test_the_input_of_a_file_with_channels_last_is_written_as_any_other(tmp_path: Path) -> None:
    nodes = [node("Transpose", "x", out="t", perm=TO_FIRST), node("Conv", "t", "w")]
    model = make(nodes, {"w": KERNEL}, image=("n", "h", "w", 3))
    assert refused(model, tmp_path) == ["E703: the input `x` of `net.onnx` is not known"]
    assert "input: 8x9x3" in read(model, tmp_path, input="8x9x3").text


def test_a_vector_of_a_map_with_channels_last_is_refused(tmp_path: Path) -> None:
    nodes = [
        node("Transpose", "x", out="t", perm=TO_FIRST),
        node("Conv", "t", "w", out="a"),
        node("Transpose", "a", out="b", perm=TO_LAST),
        node("Flatten", "b"),
    ]
    (said,) = refused(make(nodes, {"w": KERNEL}, image=("n", 8, 9, 3)), tmp_path)
    assert "no word for a vector of a map whose channels are last" in said


def test_an_input_that_layers_read_both_ways_has_its_channels_first(tmp_path: Path) -> None:
    nodes = [
        node("Transpose", "x", out="t", perm=TO_FIRST),
        node("Conv", "t", "w", out="a"),
        node("Conv", "x", "v", out="b"),
        node("Add", "a", "b"),
    ]
    tensors = {"w": normal(4, 3, 1, 1), "v": normal(4, 3, 1, 1)}
    (said,) = refused(make(nodes, tensors, image=(1, 3, 3, 3)), tmp_path)
    assert "no word for axes of a map that are exchanged" in said


def test_weights_in_constants_are_compared_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(KERNEL))
    made = make([kernel, node("Conv", "x", "w", out="a"), node("Relu", "a")])
    assert [note.code for note in read(made, tmp_path).notes] == ["W625"]
    run_as(monkeypatch, make([kernel, node("Conv", "x", "w", out="a"), node("Abs", "a")]))
    with pytest.raises(ImportFaultError, match="the outputs differ by"):
        read(made, tmp_path)


@pytest.mark.parametrize(
    ("nodes", "step"),
    [
        ([node("Conv", "x", "w", out="a"), node("Add", "b", "a")], "3x3 conv (4 V)"),
        ([node("Flatten", "x", out="f"), node("MatMul", "f", "m", out="a"), node("Add", "a", "r")],
         "linear (5)"),
    ],
)  # fmt: skip
def test_a_sum_with_a_bias_is_a_part_of_its_layer(
    nodes: list[onnx.NodeProto], step: str, tmp_path: Path
) -> None:
    tensors = {"w": KERNEL, "b": normal(1, 4, 1, 1), "m": normal(192, 5), "r": normal(1, 5)}
    imported = read(make(nodes, tensors), tmp_path)
    assert step in imported.text
    assert "bias: false" not in imported.text
    assert [note.code for note in imported.notes] == ["W625"]


def test_margins_of_some_axes_are_those_of_no_others(tmp_path: Path) -> None:
    tensors = {"p": np.array([1, 2, 3, 0]), "axes": np.array([-1, -2])}
    made = make([node("Pad", "x", "p", "", "axes", out="a"), node("Relu", "a")], tensors)
    assert "pad (top 2 left 1 right 3)" in read(made, tmp_path).text


@pytest.mark.parametrize(
    ("nodes", "cause"),
    [
        ([node("Flatten", "x", out="f"), node("Gemm", "f", "m", alpha=0.5)],
         "a linear layer whose product or bias is scaled"),
        ([node("Sub", "x", "mean")], "values of its own that a network subtracts or divides by"),
    ],
)  # fmt: skip
def test_a_refusal_names_its_own_cause(
    nodes: list[onnx.NodeProto], cause: str, tmp_path: Path
) -> None:
    (said,) = refused(make(nodes, {"m": normal(192, 5), "mean": normal(3, 1, 1)}), tmp_path)
    assert f"no word for {cause}" in said


def test_a_number_of_images_that_is_zero_is_open(tmp_path: Path) -> None:
    assert "input: 8x8x3" in read(make([node("Relu", "x")], image=(0, 3, 8, 8)), tmp_path).text
