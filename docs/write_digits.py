"""Write the handwritten digits of scikit-learn as a folder of classes, which `train.py` reads.

    python docs/write_digits.py data/digits

Every fifth digit of the 1,797 is held out.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits


def write_digits(folder: Path) -> None:
    """Write each digit as a grey PNG of 8 x 8 pixels, to `train/` or `val/` of a folder."""
    digits = load_digits()
    for number, (pixels, digit) in enumerate(zip(digits.images, digits.target, strict=True)):
        place = folder / ("train" if number % 5 else "val") / str(digit)
        place.mkdir(parents=True, exist_ok=True)
        grey = np.round(pixels * 255 / 16).astype(np.uint8)  # 16 is white
        Image.fromarray(grey).save(place / f"{number:04}.png")


if __name__ == "__main__":
    write_digits(Path(sys.argv[1]))
