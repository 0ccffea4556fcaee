"""Networks on images: the outputs averaged over crops, and over several networks.

Images are read ahead by a few threads, and crops are bytes until they are run in batches. Memory
is bounded by the crops of as many images as there are threads, and one batch for each network.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.bridge.images import BrokenImageError, Filter, cut_crops, open_image
from inception_dsl.diagnostics import Diagnostic, SpecError

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class EvaluatedNetwork:
    """A trained network and the images that it sees.

    Attributes:
        module: in inference, on its device; its output is one vector of logits for each image.
        channels, side: its input.
        shorter: the shorter sides to which an image is resized; none to take it as it is.
        mean, std: of pixels from 0 to 1; one number for each channel.
    """

    name: str
    module: nn.Module
    channels: int
    side: int
    shorter: tuple[int, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SeenImage:
    """An image that was run, or could not be.

    Attributes:
        ranks: for each network, and then for all of them together, the number of other classes that
            are at least as likely as the right one; empty if the image is broken.
        finding: the reason why it could not be run.
    """

    path: Path
    ranks: tuple[int, ...] = ()
    finding: Diagnostic | None = None


def load_network(module: nn.Module, state: Mapping[str, Tensor], device: str) -> nn.Module:
    """Return a module with the weights of a state_dict, in inference on a device.

    Counts of batches that an old checkpoint lacks stay as they are.
    """
    module.load_state_dict({**module.state_dict(), **state})
    return module.eval().to(device)


def choose_device(name: str | None, code: str = "E905") -> str:
    """Return the device that is asked for; without a name, a GPU if torch sees one.

    Args:
        code: the code of the finding.

    Raises:
        SpecError: torch has no such device.
    """
    import torch

    if name is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        said = str(error).splitlines()[0][:200]
        raise SpecError([Diagnostic(code, f"torch has no device `{name}`: {said}")]) from None
    return name


def run_images(
    networks: Sequence[EvaluatedNetwork],
    images: Sequence[tuple[Path, int]],
    *,
    crops: int,
    filter: Filter,
    batch: int,
    workers: int,
) -> Iterator[SeenImage]:
    """Yield every image once it is run, in order.

    Args:
        images: the paths with the indices of the right classes.
        crops: the number of crops of an image.
        batch: the number of crops that a network sees at once, at most.
        workers: the number of threads that read images.

    Raises:
        SpecError: E905, an output is no number.
    """
    group = max(1, batch // crops)
    read = _read_ahead(networks, images, crops, filter, workers)
    while chunk := list(islice(read, group)):
        yield from _run_chunk(networks, chunk, batch)


_Read = tuple[Path, int, "list[Tensor] | Diagnostic"]
"""An image, its class, and its crops for each network or the reason why there are none."""


def _read_ahead(
    networks: Sequence[EvaluatedNetwork],
    images: Sequence[tuple[Path, int]],
    crops: int,
    filter: Filter,
    workers: int,
) -> Iterator[_Read]:
    """Yield images with their crops in order, while threads read the next ones."""

    def read(path: Path, label: int) -> _Read:
        try:
            image = open_image(path, networks[0].channels)
            tensors = [
                cut_crops(path, image, crops, network.side, network.shorter, filter)
                for network in networks
            ]
        except BrokenImageError as error:
            return path, label, error.finding
        return path, label, tensors

    waiting: deque[Future[_Read]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for path, label in images:
                waiting.append(pool.submit(read, path, label))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()


def _run_chunk(
    networks: Sequence[EvaluatedNetwork], chunk: Sequence[_Read], batch: int
) -> Iterator[SeenImage]:
    """Yield some images, after all networks have seen them."""
    whole = [item for item in chunk if not isinstance(item[2], Diagnostic)]
    means: list[Tensor] = []
    for index, network in enumerate(networks):
        tensors = [item[2][index] for item in whole if not isinstance(item[2], Diagnostic)]
        means.append(_average(network, tensors, batch))
    together = sum(means[1:], means[0]) / len(means) if whole else None
    place = 0
    for path, label, made in chunk:
        if isinstance(made, Diagnostic):
            yield SeenImage(path, finding=made)
            continue
        assert together is not None
        ranks = [_rank(each[place], label) for each in (*means, together)]
        yield SeenImage(path, tuple(ranks))
        place += 1


def _average(network: EvaluatedNetwork, images: Sequence[Tensor], batch: int) -> Tensor:
    """Return the softmax of a network on some images, averaged over the crops of each.

    Returns:
        A tensor of the shape `(images, classes)`, in double precision.

    Raises:
        SpecError: E905, an output is no number.
    """
    import torch

    if not images:
        return torch.empty(0)
    device = next(iter(network.module.state_dict().values())).device
    mean, std = (
        torch.tensor(each, device=device).reshape(-1, 1, 1) for each in (network.mean, network.std)
    )
    outputs: list[Tensor] = []
    with torch.inference_mode():
        for part in _gather(images, batch):
            pixels = part.to(device).float() / 255
            logits = network.module((pixels - mean) / std)
            outputs.append(torch.softmax(logits.double(), dim=1).cpu())
    probabilities = torch.cat(outputs)
    if not bool(torch.isfinite(probabilities).all()):
        message = f"`{network.name}` gives outputs that are no numbers"
        help = "its weights, or the mean and the deviation of its input, are not the right ones"
        raise SpecError([Diagnostic("E905", message, help=help)])
    parts = torch.split(probabilities, [len(image) for image in images])
    return torch.stack([part.mean(0) for part in parts])


def _gather(images: Sequence[Tensor], batch: int) -> Iterator[Tensor]:
    """Yield the crops of some images in batches."""
    import torch

    if len(images) * len(images[0]) <= batch:
        yield torch.cat(list(images))
        return
    for image in images:
        yield from torch.split(image, batch)


def _rank(probabilities: Tensor, label: int) -> int:
    """Return the number of other classes that are at least as likely as the right one."""
    return int((probabilities >= probabilities[label]).sum()) - 1
