"""Whether events moved: hot spots, rings and both together, by two methods side by side."""

from collections.abc import Sequence

from placeproof.report.document import Block, Name, Paragraph, Spans, Table, Text
from placeproof.report.findings import alone, level_note, with_interval
from placeproof.report.material import Material, Row
from placeproof.report.words import capital

USUAL = "poisson_imputation_jackknife"
WEIGHTED = "weighted_displacement_difference"
WITH_RINGS = "treated hot spots with their rings"

_NOTE = (
    " Fewer than expected: a minus sign stands for more. Difference of differences: change in "
    "events from the time before the first start to the time after the last, less the same in the "
    "comparison places and their rings; a minus sign stands for fewer. The first works by factors "
    "over all periods, the second by sums over a shorter time: they need not agree to the event."
)


def blocks(material: Material, key: str, rows: Sequence[Row], headline: Row) -> list[Block]:
    """
    Show how many events fewer or more there were at each distance, by two methods.

    Parameters
    ----------
    material : Material
        The contents.
    key : str
        Anchor: the question and the place of the outcome in it.
    rows : sequence of findings
        The findings of the question.
    headline : finding
        The effect in the hot spots.

    Returns
    -------
    list of Block
        A table and a sentence on what share moved; nothing without rings.
    """
    mine = [
        row
        for row in rows
        if row["outcome"] == headline["outcome"] and row["subgroup"] == "all"
        and row["hours"] == "all" and row["horizon"] in ("all", "part")
    ]  # fmt: skip
    places = _places(mine, str(headline["population"]))
    if len(places) < 3:
        return []
    body = []
    for place in places:
        here = [row for row in mine if row["population"] == place]
        ratio = _one(here, "rate_ratio", USUAL)
        fewer = _one(here, "events_prevented", USUAL)
        moved = _one(here, WEIGHTED, "") if place != WITH_RINGS else _whole(mine)
        cells = (with_interval(row) if row else () for row in (ratio, fewer, moved))
        body.append(((Name(capital(place)),), *cells))
    table = Table(
        f"{key}-distance", f"Events by distance: {headline['outcome_label']}",
        ("Where", "Change", "Events fewer than expected", "Difference of differences"),
        tuple(body), frozenset({1, 2, 3}), note=(*level_note([headline]), Text(_NOTE)),
        stamp=material.tag, widths=(0.31, 0.2, 0.25, 0.24),
    )  # fmt: skip
    return [table, *_moved(mine)]


def _places(mine: Sequence[Row], inside: str) -> list[str]:
    found = {str(row["population"]) for row in mine if row["estimand"] == "events_prevented"}
    rings = sorted((name for name in found if name.startswith("ring ")), key=_from)
    return [name for name in (inside, *rings, WITH_RINGS) if name in found]


def _from(ring: str) -> float:
    digits = ring.removeprefix("ring ").split("-")[0].split()[0]
    return float(digits) if digits.replace(".", "", 1).isdigit() else 0.0


def _one(rows: Sequence[Row], estimand: str, method: str) -> Row | None:
    for row in rows:
        if row["estimand"] == estimand and str(row["method"]).startswith(method):
            return row
    return None


def _whole(mine: Sequence[Row]) -> Row | None:
    found = [row for row in mine if row["estimand"] == WEIGHTED and row["horizon"] == "all"]
    return found[0] if found else None


def _moved(mine: Sequence[Row]) -> list[Block]:
    share = _one(mine, "displaced_share", USUAL)
    if share is None:
        return []
    if share["status"] != "estimated":
        lead = Text("What share of events moved outwards cannot be said. ")
        return [Paragraph((lead, Name(str(share["reason"] or ""))), "note")]
    spans: Spans = (
        Text("For the events that were fewer inside, this share was added around: "),
        *with_interval(share),
        Text(". A minus sign stands for fewer events around as well, an effect that spread."),
    )
    quotient = _one(mine, "weighted_displacement_quotient", "")
    if quotient is not None and quotient["status"] == "estimated":
        spans = (
            *spans,
            Text(" The weighted displacement quotient, a description without an interval, is "),
            *alone(quotient),
            Text("; below nought it speaks for events that moved."),
        )
    relative = [
        row for row in mine
        if row["estimand"] == "log_relative_incident_rate_ratio" and row["status"] == "estimated"
        and not str(row["population"]).startswith("rings")
    ]  # fmt: skip
    if relative:
        spans = (
            *spans,
            Text(" For pooling with other studies: log relative incident rate ratio "),
            *with_interval(relative[0]),
            Text("."),
        )
    return [Paragraph(spans)]
