"""Images on disk: folders of classes, and the crops of an image as bytes.

A folder of images has a folder for each class, in torchvision's order: by name. No code of a file
runs; an image that cannot be read is a finding, and the others go on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, MissingExtraError, SpecError
from inception_dsl.evaluation import CropError, CropView, list_views

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""The ends of the names of images, as torchvision has them."""

Filter = Literal["bilinear", "bicubic"]
"""The filter that resizes an image; both are antialiased."""

MAX_SAID = 200
"""Maximum number of characters that are shown of an error of the reader of images."""


@dataclass(frozen=True, slots=True)
class ImageFolder:
    """A folder of images.

    Attributes:
        classes: the names of the classes' folders, in order.
        images: the path of each image, and the index of its class.
    """

    path: Path
    classes: tuple[str, ...]
    images: tuple[tuple[Path, int], ...]


class BrokenImageError(Exception):
    """The error of an image that cannot be used, as a finding."""

    def __init__(self, finding: Diagnostic) -> None:
        super().__init__(finding.message)
        self.finding = finding


def list_images(folder: Path) -> ImageFolder:
    """Return the images of a folder of classes.

    Raises:
        SpecError: E901, it has no classes, or some have no images.
    """
    if not folder.is_dir():
        raise _refuse(folder, "is no folder")
    classes = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    if not classes:
        help = "it has a folder for each class, and the images in these"
        raise _refuse(folder, "has no classes", help=help)
    images: list[tuple[Path, int]] = []
    empty: list[str] = []
    for index, name in enumerate(classes):
        found = list(_walk(folder / name))
        images += [(path, index) for path in found]
        if not found:
            empty.append(name)
    if empty:
        names = ", ".join(f"`{printable(name)}`" for name in empty[:4])
        more = f" and {len(empty) - 4:,} more" if len(empty) > 4 else ""
        what = "a class without images" if len(empty) == 1 else "classes without images"
        notes = (f"the ends of their names are {', '.join(SUFFIXES)}",)
        raise _refuse(folder, f"has {what}: {names}{more}", notes=notes)
    return ImageFolder(folder, tuple(classes), tuple(images))


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the images below a folder, in the order of torchvision's `ImageFolder`.

    Raises:
        SpecError: E901, a link leads back to a folder that holds it.
    """
    walked = []
    for above, below, names in os.walk(folder, followlinks=True):
        walked.append((above, names))
        for link in (path for name in below if (path := Path(above, name)).is_symlink()):
            target = link.resolve()
            if any(holder.resolve() == target for holder in link.parents):
                raise _refuse(link, "is a link to a folder that holds it")
    for above, names in sorted(walked):
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES):
                yield Path(above, name)


def _refuse(
    folder: Path, why: str, *, help: str | None = None, notes: tuple[str, ...] = ()
) -> SpecError:
    message = f"`{printable(str(folder))}` {why}"
    return SpecError([Diagnostic("E901", message, notes=notes, help=help)])


def require_pillow() -> None:
    """Make sure that images can be read.

    Raises:
        MissingExtraError: Pillow is not installed.
    """
    try:
        import PIL.Image  # noqa: F401
    except ModuleNotFoundError:
        raise MissingExtraError("reading images", "Pillow", "evaluate") from None


def open_image(path: Path, channels: int) -> Image:
    """Return an image in memory, as grey values or as red, green and blue.

    Raises:
        BrokenImageError: E902, it cannot be read.
    """
    import warnings

    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.simplefilter("ignore", UserWarning)
            with Image.open(path) as image:
                if image.mode in _DEEP:
                    raise BrokenImageError(_refuse_depth(path))
                return image.convert("L" if channels == 1 else "RGB")
    except (MemoryError, BrokenImageError):
        raise
    except Exception as error:  # a damaged file may fail anywhere in its reader
        said = printable(str(error).splitlines()[0][:MAX_SAID]) if str(error) else ""
        message = f"`{printable(str(path))}` cannot be read as an image"
        notes = (said,) if said else ()
        raise BrokenImageError(Diagnostic("E902", message, notes=notes)) from None


_DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
"""Pillow's modes of values with more than 8 bits; it cuts them off at 255."""


def _refuse_depth(path: Path) -> Diagnostic:
    message = f"`{printable(str(path))}` cannot be read as an image"
    notes = ("its values have more than 8 bits",)
    return Diagnostic("E902", message, notes=notes, help="write it anew with 8 bits a value")


def cut_crops(
    path: Path,
    image: Image,
    crops: int,
    side: int,
    shorter: tuple[int, ...],
    filter: Filter,
) -> Tensor:
    """Return the crops of an image.

    Args:
        crops, side, shorter: as for `evaluation.list_views`.

    Returns:
        Bytes of the shape `(crops, channels, side, side)`.

    Raises:
        BrokenImageError: E903, it is smaller than the crop.
    """
    import torch

    try:
        views = list_views(crops, image.width, image.height, side, shorter)
    except CropError as error:
        message = f"`{printable(str(path))}` is smaller than the crop: {error}"
        help = "leave out `--resize none`, or take images of this size at least"
        raise BrokenImageError(Diagnostic("E903", message, help=help)) from None
    # Threads run this: they join bytes, and leave arithmetic to the thread that has torch's own.
    pixels = b"".join(part for view in views for part in _cut_view(image, view, side, filter))
    flat = torch.frombuffer(bytearray(pixels), dtype=torch.uint8)
    return flat.reshape(-1, side, side, len(image.getbands())).permute(0, 3, 1, 2)


def _cut_view(image: Image, view: CropView, side: int, filter: Filter) -> Iterator[bytes]:
    """Yield the pixels of every crop of a view: rows of red, green and blue, or of grey."""
    from PIL.Image import Resampling, Transpose

    chosen = Resampling.BICUBIC if filter == "bicubic" else Resampling.BILINEAR
    resized = image if image.size == view.size else image.resize(view.size, chosen)
    for box in view.boxes:
        part = resized.crop((box.left, box.top, box.right, box.bottom))
        if part.size != (side, side):
            part = part.resize((side, side), chosen)
        if box.is_mirrored:
            part = part.transpose(Transpose.FLIP_LEFT_RIGHT)
        yield part.tobytes()


def read_blacklist(path: Path, folder: ImageFolder) -> frozenset[Path]:
    """Return the images that a file lists, one on each line.

    A line is the path of an image in the folder, its name with or without its end, or a number, by
    which ImageNet's list names `ILSVRC2012_val_00000036.JPEG`. Empty lines and those that begin
    with `#` are left out.

    Raises:
        SpecError: E901, the file cannot be read, or a line names no image, or several.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise _refuse(path, f"cannot be read: {why}") from None
    names = [line.strip() for line in lines]
    wanted = [name for name in names if name and not name.startswith("#")]
    by_name = _index_names(folder)
    problems: list[Diagnostic] = []
    chosen: set[Path] = set()
    for name in wanted:
        found = by_name.get(str(int(name)) if name.isdecimal() and len(name) < 18 else name, [])
        if len(found) == 1:
            chosen.add(found[0])
            continue
        what = "no image" if not found else f"{len(found):,} images"
        message = f"`{printable(name[:MAX_SAID])}` of the blacklist names {what}"
        problems.append(Diagnostic("E901", message))
    if problems:
        raise SpecError(problems)
    return frozenset(chosen)


def _index_names(folder: ImageFolder) -> dict[str, Sequence[Path]]:
    """Return the images by each name that a blacklist may have for them."""
    index: dict[str, dict[Path, None]] = {}
    for path, _ in folder.images:
        number = path.stem[len(path.stem.rstrip("0123456789")) :]
        names = [path.relative_to(folder.path).as_posix(), path.name, path.stem]
        for name in [*names, *([str(int(number))] if number else [])]:
            index.setdefault(name, {})[path] = None
    return {name: list(paths) for name, paths in index.items()}
