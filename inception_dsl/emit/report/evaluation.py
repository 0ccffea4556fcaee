"""Write the errors of trained networks: as a table, Markdown, CSV or JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from inception_dsl.channels import csv_cell, json_text, markdown_text, printable
from inception_dsl.diagnostics import Diagnostic
from inception_dsl.emit.report.layout import ReportFormat
from inception_dsl.evaluation.scores import TOP, ErrorTally
from inception_dsl.tables import Column, markdown_table, plain_table

if TYPE_CHECKING:
    from inception_dsl.ir.recipe import Result

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Score:
    """The errors of a network, or of several together.

    Attributes:
        checkpoint: the file of its weights; empty for several networks.
        networks: the number of networks over which outputs were averaged.
        claims: the errors that sources report of as many networks.
    """

    name: str
    checkpoint: str
    networks: int
    tally: ErrorTally
    claims: tuple[Result, ...]

    @property
    def errors(self) -> tuple[tuple[str, int], ...]:
        """The count of errors by each measure."""
        return (("top1_error", self.tally.top1), ("top5_error", self.tally.top5))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The errors of trained networks on a folder of images.

    Attributes:
        scores: of each network, and of all together if there are several.
        classes: the number of classes.
        images: the images that were seen.
        blacklisted: those that a list left out.
        broken: those that could not be read.
        crops: the crops of an image.
        findings: the reasons why images could not be read, as far as they are kept.
        is_whole: all images were seen; false if a person has interrupted it.
        other_claims: the errors that sources report of another number of networks, each with the
            name of the network whose spec says so.
    """

    scores: tuple[Score, ...]
    classes: int
    images: int
    blacklisted: int
    broken: int
    crops: int
    findings: tuple[Diagnostic, ...]
    is_whole: bool = True
    other_claims: tuple[tuple[str, Result], ...] = ()


_COLUMNS = (
    Column("network", "left"),
    Column("top-1 error"),
    Column("+-"),
    Column("claimed"),
    Column("top-5 error"),
    Column("+-"),
    Column("claimed"),
)


def _write_table(done: Evaluation, *, is_markdown: bool) -> str:
    table = markdown_table if is_markdown else plain_table
    text = table(_COLUMNS, (list(_list_cells(done, score)) for score in done.scores))
    escape = markdown_text if is_markdown else printable
    end = "  \n" if is_markdown else "\n"
    return f"{text}\n" + "".join(f"{escape(line)}{end}" for line in _explain(done))


def _list_cells(done: Evaluation, score: Score) -> Iterator[str]:
    yield score.name
    for measure, wrong in score.errors:
        if measure == "top5_error" and done.classes <= TOP:
            yield from ("-", "-", "-")
            continue
        yield f"{score.tally.percent(wrong):.2f} %"
        yield f"{score.tally.standard_error(wrong):.2f}"
        claimed = [f"{claim.percent} %" for claim in _list_alike(done, score, measure)]
        yield ", ".join(claimed) or "-"


def _list_alike(done: Evaluation, score: Score, measure: str) -> list[Result]:
    """Return the claims about as many crops."""
    return [
        claim for claim in score.claims if claim.measure == measure and claim.crops == done.crops
    ]


def _explain(done: Evaluation) -> Iterator[str]:
    crops = "1 crop" if done.crops == 1 else f"{done.crops} crops"
    yield f"{done.images:,} images of {done.classes:,} classes, {crops} of each."
    if not done.is_whole:
        yield "It was interrupted: the other images are not seen."
    yield "+-: the standard error, in percentage points."
    if done.blacklisted:
        images = "1 image is" if done.blacklisted == 1 else f"{done.blacklisted:,} images are"
        yield f"{images} on the blacklist, and left out."
    if done.broken:
        images = "1 image" if done.broken == 1 else f"{done.broken:,} images"
        yield f"{images} could not be used, and {'is' if done.broken == 1 else 'are'} left out."
    if done.classes <= TOP:
        yield f"Among {done.classes} classes there is no top-5 error."
    lines = [
        _write_claim(score.name.partition("=")[0], claim)
        for score in done.scores
        for claim in score.claims
        if claim.crops != done.crops
    ]
    lines += [_write_claim(name, claim) for name, claim in done.other_claims]
    yield from dict.fromkeys(lines)


def _write_claim(name: str, claim: Result) -> str:
    """Return a claim that is about other crops or networks as a sentence."""
    place = f" ({claim.source})" if claim.source else ""
    crops = "unknown" if claim.crops is None else f"{claim.crops:,}"
    networks = f", networks {claim.networks:,}" if claim.networks > 1 else ""
    measure = f"top-{claim.measure[3]} error"
    return f"{name} claims a {measure} of {claim.percent} %, crops {crops}{networks}{place}."


def _list_records(done: Evaluation) -> Iterator[dict[str, Any]]:
    for score in done.scores:
        record: dict[str, Any] = {
            "name": score.name,
            "checkpoint": score.checkpoint or None,
            "networks": score.networks,
        }
        for measure, wrong in score.errors:
            if measure == "top5_error" and done.classes <= TOP:
                record[measure] = None
                continue
            record[measure] = {
                "wrong": wrong,
                "percent": score.tally.percent(wrong),
                "standard_error": score.tally.standard_error(wrong),
            }
        record["claims"] = [_record_claim(claim) for claim in score.claims]
        yield record


def _record_claim(claim: Result) -> dict[str, Any]:
    return {
        "measure": claim.measure,
        "percent": float(claim.percent),
        "crops": claim.crops,
        "networks": claim.networks,
        "split": claim.split,
        "source": claim.source,
    }


def _write_json(done: Evaluation) -> str:
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "crops": done.crops,
            "classes": done.classes,
            "images": done.images,
            "blacklisted": done.blacklisted,
            "broken": done.broken,
            "is_whole": done.is_whole,
            "scores": list(_list_records(done)),
            "other_claims": [
                {"name": name, **_record_claim(claim)} for name, claim in done.other_claims
            ],
        }
    )


_CSV = ("name", "networks", "crops", "images", "measure", "wrong", "percent", "standard_error")


def _write_csv(done: Evaluation) -> str:
    import csv
    import io

    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_CSV)
    for record in _list_records(done):
        for measure in ("top1_error", "top5_error"):
            if (error := record[measure]) is not None:
                cells = [record["name"], record["networks"], done.crops, done.images, measure]
                writer.writerow(map(csv_cell, [*cells, *error.values()]))
    return stream.getvalue()


FORMATS: dict[ReportFormat, Callable[[Evaluation], str]] = {
    "table": partial(_write_table, is_markdown=False),
    "json": _write_json,
    "csv": _write_csv,
    "markdown": partial(_write_table, is_markdown=True),
}
"""The formats of an evaluation by their names."""
