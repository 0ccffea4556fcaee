"""The explanation of a difference of two counts, for readers who know neither tool."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from inception_dsl.analysis import ConventionCount
from inception_dsl.analysis.conventions import Convention
from inception_dsl.analysis.counting import BIASES, name_bias
from inception_dsl.analysis.explaining import (
    ClaimedDifference,
    ComparedClaim,
    CountDifference,
    KindDifference,
)
from inception_dsl.channels import csv_cell, json_text
from inception_dsl.emit.report.conventions import NOTHING, name_number, simplify_rule, write_rule
from inception_dsl.emit.report.layout import ReportFormat
from inception_dsl.emit.report.text import MARKDOWN, PLAIN, TextForm
from inception_dsl.ir import Quantity
from inception_dsl.tables import Column


class Explained(NamedTuple):
    """A network, and the difference that is explained.

    Attributes:
        title: the network with its input and the number of images, unescaped.
    """

    name: str
    title: str
    found: CountDifference | ClaimedDifference


def render_explanations(networks: Sequence[Explained], *, format: ReportFormat) -> str:
    """Return the explanations of some networks in a format of `flops`."""
    match format:
        case "table":
            return "\n".join(_write_text(PLAIN, each) for each in networks)
        case "markdown":
            return "\n".join(_write_text(MARKDOWN, each) for each in networks)
        case "json":
            documents = [_build_document(each) for each in networks]
            head: dict[str, Any] = {"schema_version": 1}
            whole = documents[0] if len(documents) == 1 else {"models": documents}
            return json_text({**head, **whole})
        case "csv":
            return _write_csv(networks)


def _write_text(form: TextForm, network: Explained) -> str:
    match network.found:
        case CountDifference():
            return _write_difference(form, network.title, network.found)
        case ClaimedDifference():
            return _write_claims(form, network.title, network.found)


def _write_difference(form: TextForm, title: str, found: CountDifference) -> str:
    names = [name_number(count.convention) for count in (found.first, found.second)]
    columns = [
        Column("layers", "left"),
        Column("number"),
        *map(Column, names),
        Column("difference"),
    ]
    rows = [
        [_name_kind(row), f"{row.layers:,}", *_figures(row.first, row.second)]
        for row in found.kinds
    ]
    rows.append(["total", "", *_figures(found.first.total, found.second.total)])
    head = f"{form.heading}{form.text(f'{title}: {names[0]} and {names[1]}')}"
    sentences = [form.text(sentence) for sentence in list_sentences(found)]
    return f"{head}{form.gap}{form.table(columns, rows)}\n{form.gap.join(sentences)}\n"


def list_sentences(found: CountDifference) -> Iterator[str]:
    """Yield the words of a difference: how far apart, what makes it, and each tool's habits."""
    first, second = found.first.convention, found.second.convention
    difference = found.second.total - found.first.total
    if difference == 0:
        yield f"{first.name} and {second.name} give the same number."
    else:
        side = "more" if difference > 0 else "less"
        share = _percent(abs(difference), found.first.total)
        yield f"{second.name} counts {abs(difference):,}{share} {side} than {first.name}."
    one, other = first.operations_a_mac, second.operations_a_mac
    if one != other and one and other:
        yield (
            f"A multiply-accumulate counts as {one} for {first.name}, as {other} for "
            f"{second.name}: that alone is a factor of {max(one, other) / min(one, other):g}."
        )
    for row in sorted(found.kinds, key=lambda row: -abs(row.difference)):
        if row.difference:
            reason = _explain(row, found.first, found.second)
            yield f"{_name_kind(row)}: {row.difference:+,}. {reason}"
    if same := [_name_kind(row) for row in found.kinds if not row.difference]:
        yield f"Counted alike: {', '.join(same)}."
    if found.neither:
        yield f"Counted by neither: {', '.join(found.neither)}."
    for convention in (first, second):
        if convention.is_of_tool:
            yield f"{_introduce(convention)} {' '.join(convention.remarks)}"


def _introduce(convention: Convention) -> str:
    return (
        f"{convention.name}: {convention.title} {convention.version} looks at {convention.sees}, "
        f"and calls its number {convention.calls_it}."
    )


def _explain(row: KindDifference, first: ConventionCount, second: ConventionCount) -> str:
    """Return what both conventions count of a kind of layer."""
    one, other = _write_terms(row, first), _write_terms(row, second)
    return f"{first.convention.name} counts {one}; {second.convention.name} counts {other}."


def _write_terms(row: KindDifference, count: ConventionCount) -> str:
    """Return the terms of a rule that a row is about, in words."""
    rule = simplify_rule(row.kind, count.convention.rule_of(row.kind))
    terms = write_rule({n: times for n, times in rule.items() if (n in BIASES) == row.of_biases})
    if count.unseen != row.kind:
        return terms
    (seen,) = (each.layers for each in count.kinds if each.kind == row.kind)
    reason = "modules leave the last softmax to the loss"
    return f"{terms}, but {reason}" if seen else f"{NOTHING}: {reason}"


def _name_kind(row: KindDifference) -> str:
    return name_bias(row.kind) if row.of_biases else row.kind


def _figures(first: int, second: int) -> list[str]:
    difference = second - first
    return [f"{first:,}", f"{second:,}", f"{difference:+,}" if difference else "0"]


def _percent(part: int, whole: int) -> str:
    return f" ({100 * part / whole:.1f} %)" if whole else ""


def _write_claims(form: TextForm, title: str, found: ClaimedDifference) -> str:
    convention = found.count.convention
    is_of_tool = convention.is_of_tool
    name = name_number(convention) if is_of_tool else "counted"
    against = name if is_of_tool else "the count"
    head = f"{form.heading}{form.text(f'{title}: the claims of its sources and {against}')}"
    columns = (
        Column("claim on", "left"),
        Column("claimed"),
        Column("source", "left"),
        Column(name),
        Column("difference"),
        Column("holds", "left"),
    )
    failing = [claim for claim in found.steps if not claim.holds]
    rows = [_claim_row(claim) for claim in (*found.network, *failing)]
    parts = [f"{head}{form.gap}{form.table(columns, rows)}".rstrip("\n") + "\n"]
    if found.network:
        claim = found.network[-1].claimed
        beside = (
            Column("counted by", "left"),
            Column("number"),
            Column("of the claim"),
            Column("holds", "left"),
        )
        counts = [
            [name_number(count.convention), f"{count.total:,}", _ratio(count, claim.amount)]
            + ["yes" if claim.holds(count.total) else "no"]
            for count in found.others
        ]
        claimed = f"{claim.text} {found.network[-1].measure}"
        parts.append(f"{form.text(f'Beside the claim of {claimed}:')}{form.gap}")
        parts[-1] += form.table(beside, counts)
    sentences = [form.text(sentence) for sentence in _list_claim_sentences(found, failing)]
    if sentences:
        parts.append(f"{form.gap.join(sentences)}\n")
    return "\n".join(parts)


def _list_claim_sentences(
    found: ClaimedDifference, failing: Sequence[ComparedClaim]
) -> Iterator[str]:
    told = [claim for claim in found.network if not claim.holds] or found.network[-1:]
    yield from dict.fromkeys(_tell_nearest(found, claim.claimed) for claim in told)
    for claim in (*found.network, *failing):
        if not claim.holds and claim.deviates:
            on = f"`{claim.at}`" if claim.at else "the network"
            claimed = f"{claim.claimed.text} {claim.measure}"
            yield f"The spec says of the claim of {claimed} on {on}: {claim.deviates}."
    if holding := len(found.steps) - len(failing):
        yield f"Claims on single steps that hold: {holding}."
    if found.left_out:
        yield f"Left out, for another input or with training heads: {found.left_out}."
    yield (
        "A paper seldom says what it counts: compare its claim with the numbers above. "
        "MACs and FLOPs differ by a factor of two."
    )


def _tell_nearest(found: ClaimedDifference, claim: Quantity) -> str:
    """Return what a claim on the network seems to count."""
    near = found.find_nearest(claim)
    if near is None:
        return f"No count is near {claim.text}: the source counts another network, or otherwise."
    by, times = near.convention, near.convention.operations_a_mac
    part = f", {_ratio(near, claim.amount)} of it" if near.total != claim.amount else ""
    word = {1: "MACs", 2: "FLOPs"}.get(times)
    seems = f" So the source seems to count {word}: " if word else " There, "
    counts = f"a multiply-accumulate counts as {times}."
    return f"Nearest to {claim.text} is {name_number(by)}{part}.{seems}{counts}"


def _name_claim(claim: ComparedClaim) -> str:
    return f"{claim.at or 'network'}: {claim.measure}"


def _claim_row(claim: ComparedClaim) -> list[str]:
    difference = f"{claim.difference:+,}" if claim.difference else "0"
    if claim.difference and claim.claimed.amount:
        difference += f" ({100 * claim.difference / claim.claimed.amount:+.1f} %)"
    return [
        _name_claim(claim),
        claim.claimed.text,
        claim.source or "",
        f"{claim.counted:,}",
        difference,
        "yes" if claim.holds else "no",
    ]


def _ratio(count: ConventionCount, claimed: int) -> str:
    return f"{100 * count.total / claimed:.1f} %" if claimed else "-"


def _build_document(network: Explained) -> dict[str, Any]:
    found = network.found
    document: dict[str, Any] = {"name": network.name}
    match found:
        case CountDifference(first, second, kinds, neither):
            return document | {
                "first": _build_side(first),
                "second": _build_side(second),
                "difference": second.total - first.total,
                "kinds": [{**row._asdict(), "difference": row.difference} for row in kinds],
                "neither": list(neither),
                "sentences": list(list_sentences(found)),
            }
        case ClaimedDifference(count, whole, steps, left_out, others):
            return document | {
                "count": _build_side(count),
                "network": [_build_claim(claim) for claim in whole],
                "steps": [_build_claim(claim) for claim in steps],
                "left_out": left_out,
                "counts": {other.convention.name: other.total for other in others},
                "nearest": None if found.nearest is None else found.nearest.convention.name,
            }


def _build_side(count: ConventionCount) -> dict[str, Any]:
    convention = count.convention
    return {
        "convention": convention.name,
        "version": convention.version,
        "unit": convention.unit,
        "called": convention.calls_it,
        "total": count.total,
    }


def _build_claim(claim: ComparedClaim) -> dict[str, Any]:
    return {
        "at": claim.at,
        "measure": claim.measure,
        "claimed": claim.claimed.text,
        "amount": claim.claimed.amount,
        "source": claim.source,
        "deviates": claim.deviates,
        "counted": claim.counted,
        "counted_by": claim.counted_by,
        "difference": claim.difference,
        "holds": claim.holds,
    }


def _write_csv(networks: Sequence[Explained]) -> str:
    import csv
    import io

    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["name", "of", "first", "second", "difference"])
    for network in networks:
        match network.found:
            case CountDifference(first, second, kinds):
                rows = [(_name_kind(row), row.first, row.second) for row in kinds]
                rows.append(("total", first.total, second.total))
            case ClaimedDifference(_, whole, steps):
                rows = [
                    (_name_claim(claim), claim.claimed.amount, claim.counted)
                    for claim in (*whole, *steps)
                ]
        for of, one, other in rows:
            writer.writerow(map(csv_cell, [network.name, of, one, other, other - one]))
    return stream.getvalue()
