"""The effect without the periods around each registered event, one small table."""

from collections.abc import Mapping, Sequence

from placeproof.report import registers
from placeproof.report.document import Block, Day, Name, Paragraph, Spans, Table, Text
from placeproof.report.findings import level_note, with_interval
from placeproof.report.material import Material, Row

_NOT_THERE = ("Outside the data", "Already left out of the headline")
"""Reasons that are no fault: such events are named under the table."""

_WHAT_GOES = (
    " Left out: the days that an event covers; where it has no last day, its month and the month "
    "on either side. The change is the estimate against the headline, in per cent of it; its "
    "interval leaves each place out of both."
)


def blocks(
    material: Material, key: str, rows: Sequence[Row], headlines: Sequence[Row]
) -> list[Block]:
    """
    Show how far each headline moves without the periods around each registered event.

    Parameters
    ----------
    material : Material
        The contents.
    key : str
        RQ1, RQ2 or RQ3.
    rows : sequence of findings
        The findings of that question.
    headlines : sequence of findings
        Its headline effects in the hot spots.

    Returns
    -------
    list of Block
        One table of registered events and of steps found in recording, or nothing where there are
        none or no effect was estimated.
    """
    shocks = material.contents.shocks
    registered: list[Mapping[str, object]] = []
    if shocks is not None:
        registered += shocks.sort("starts_on", "shock_id").iter_rows(named=True)
    registered += registers.steps(material)
    body: list[tuple[Spans, ...]] = []
    groups: list[tuple[int, Spans]] = []
    aside: dict[str, list[str]] = {}
    for headline in headlines:
        again = _again(rows, headline)
        lines: list[tuple[Spans, ...]] = []
        for event in registered:
            row = again.get(("rate_ratio", str(event["shock_id"])))
            if row is None:
                continue
            name, reason = str(event["name"]), str(row["reason"] or "").rstrip(".")
            if row["status"] == "not_identified" and reason in _NOT_THERE:
                names = aside.setdefault(reason, [])
                names += [] if name in names else [name]
                continue
            if row["status"] == "not_identified":
                aside.setdefault(f"{headline['outcome_label']}, {name}", []).append(reason)
            change = again.get(("change_in_rate_ratio", str(event["shock_id"])))
            lines.append(
                ((Name(name),), _days(event), with_interval(row),
                 with_interval(change) if change else ())
            )  # fmt: skip
        if lines:
            groups.append((len(body), (Name(str(headline["outcome_label"])),)))
            body.append(((Text("Headline, every period"),), (), with_interval(headline), ()))
            body += lines
    told: Spans = tuple(Name(f" {head}: {'; '.join(said)}.") for head, said in aside.items())
    if not body:
        lead = Text("Events that are registered.", strong=True)
        return [Paragraph((lead, *told), "note")] if told else []
    head = ("Without the periods around", "When", "Estimate", "Change from the headline")
    note = (*level_note(headlines), Text(_WHAT_GOES), *told)
    return [
        Table(
            f"{key}-events", "The effect without the periods around each event", head, tuple(body),
            frozenset({2, 3}), note=note, stamp=material.tag, widths=(0.36, 0.24, 0.2, 0.2),
            groups=tuple(groups) if len(groups) > 1 else (),
        )
    ]  # fmt: skip


def _again(rows: Sequence[Row], headline: Row) -> dict[tuple[str, str], Row]:
    """Estimand and event to the finding without the periods around that event."""
    found: dict[tuple[str, str], Row] = {}
    for row in rows:
        kind, _, event = str(row["horizon"]).partition("=")
        if kind == "without" and all(row[name] == headline[name] for name in _SAME):
            found[(str(row["estimand"]), event)] = row
    return found


_SAME = ("outcome", "population", "hours", "subgroup", "method")


def _days(event: Mapping[str, object]) -> Spans:
    first, last = event["starts_on"], event["ends_on"]
    if last is None:
        return (Text("from "), Day(first))  # type: ignore[arg-type]
    return (Day(first), Text(" to "), Day(last))  # type: ignore[arg-type]
