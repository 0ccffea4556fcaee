"""Kill a training of digits by SIGKILL at random moments, and compare it with an undisturbed one.

    python benchmarks/kills.py 20

Prints each kill, then whether the weights, the optimizer and the average are the same, bit for bit.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "generated" / "digits" / "train.py"


def main(kills: int) -> int:
    """Run both trainings; return 1 if they differ."""
    draw = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "digits"
        subprocess.run([sys.executable, ROOT / "docs" / "write_digits.py", data], check=True)
        words = [sys.executable, str(SCRIPT), "--data", str(data), "--workers", "1", "--resume"]
        words += ["--epochs", "5", "--checkpoint-every", "7", "--log-every", "1", "--output"]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        subprocess.run([*words, str(folder / "calm")], check=True, env=environment, stderr=-3)
        killed = folder / "killed"
        for number in range(kills):
            process = subprocess.Popen([*words, str(killed)], env=environment, stderr=-3, stdout=-3)
            wait_for_a_step(killed / "log.jsonl", process)
            time.sleep(draw.uniform(0, 4))
            process.send_signal(signal.SIGKILL)
            step = "the end" if process.wait() == 0 else count_steps(killed / "log.jsonl")
            print(f"kill {number + 1}: at step {step}", flush=True)
        subprocess.run([*words, str(killed)], check=True, env=environment, stderr=-3)
        ends = [flatten(torch.load(folder / n / "last.pt")) for n in ("calm", "killed")]
    same = len(ends[0]) == len(ends[1]) and all(
        torch.equal(one, other) for one, other in zip(*ends, strict=True)
    )
    print("the same, bit for bit" if same else "DIFFERENT", f"({len(ends[0])} tensors)")
    return 0 if same else 1


def wait_for_a_step(log: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a training has cut its log to the checkpoint, and then made a step."""
    for _ in range(2):
        begin = log.stat().st_mtime_ns if log.exists() else 0
        while process.poll() is None and (not log.exists() or log.stat().st_mtime_ns == begin):
            time.sleep(0.02)


def count_steps(log: Path) -> int:
    """Return the lines of a log."""
    return log.read_bytes().count(b"\n") if log.exists() else 0


def flatten(value: object) -> list[torch.Tensor]:
    """Return all tensors of a checkpoint in their order."""
    if isinstance(value, torch.Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [tensor for part in parts for tensor in flatten(part)]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
