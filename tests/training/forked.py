"""Runs of scripts in forked processes: the imports of torch and torchvision are paid once."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "matplotlib.backends.backend_svg",
        "matplotlib.figure",
        "safetensors.torch",
        "timm.optim.rmsprop_tf",
        "torch.optim.swa_utils",
        "torch.utils.tensorboard",
        "torchvision.transforms.v2",
        "tqdm",
    ]
)


@dataclass(frozen=True, slots=True)
class Fork:
    """A script that runs in a process of its own, as `python SCRIPT WORDS` does."""

    process: ForkServerProcess
    output: Path

    def wait(self) -> int:
        """Wait for its end, and return its exit code, as `subprocess` tells it."""
        self.process.join(120)
        code = self.process.exitcode
        assert code is not None, "it does not end"
        return code

    @property
    def said(self) -> str:
        """Everything that it has printed."""
        return self.output.read_text()


def start(script: Path, words: Sequence[str], environment: dict[str, str] | None = None) -> Fork:
    """Start a script."""
    handle, name = tempfile.mkstemp(dir=script.parent)
    os.close(handle)
    process = _FORKS.Process(target=_run, args=(script, words, environment or {}, name))
    process.start()
    return Fork(process, Path(name))


def start_several(script: Path, words: Sequence[str], count: int) -> list[Fork]:
    """Start a script on several processes with the variables that torchrun gives them."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    meeting = {"MASTER_ADDR": "localhost", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "test"}
    places = [
        {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count)}
        for rank in range(count)
    ]
    return [start(script, words, meeting | place) for place in places]


def _run(script: Path, words: Sequence[str], environment: dict[str, str], output: str) -> None:
    """Become the script: its arguments, its path of imports, its output."""
    import torch

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    torch.set_num_threads(1)
    multiprocessing.set_start_method("fork", force=True)  # of readers, as in a script of its own
    os.environ.update(environment)
    handle = os.open(output, os.O_WRONLY)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    sys.argv = [str(script), *words]
    sys.path.insert(0, str(script.parent))
    runpy.run_path(str(script), run_name="__main__")
