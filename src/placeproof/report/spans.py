"""Words and figures put together: the only way in which a number enters the report."""

from collections.abc import Iterable, Mapping

import polars as pl

from placeproof.report.document import Name, Number, Recorded, Span, Spans, Table, Text
from placeproof.report.numbers import PLACEHOLDER, shown, whole

Row = Mapping[str, object]


def number(row: Row, field: str = "estimate") -> Number:
    """A figure of a finding, linked to its provenance."""
    return Number(shown(row, field), str(row["finding_id"]))


def figure(row: Row, field: str) -> Spans:
    """A figure of a finding, or nothing where the finding has no such figure."""
    told = row["status"] == "estimated" or field == "minimum_detectable_effect"
    return (number(row, field),) if told and row[field] is not None else ()


def sentence(text: str, findings: Mapping[str, Row]) -> Spans:
    """An answer's text with every {finding_id:field} turned into a linked figure."""
    spans: list[Span] = []
    end = 0
    for match in PLACEHOLDER.finditer(text):
        if match.start() > end:
            spans.append(Name(text[end : match.start()]))
        row = findings.get(match[1])
        spans.append(number(row, match[2]) if row else Text("not supplied"))
        end = match.end()
    if end < len(text):
        spans.append(Name(text[end:]))
    return tuple(spans)


def cell(value: object, *, anchor: str = "", absent: str = "not supplied") -> Spans:
    """A value of the run's own record in a table; what is absent reads "not supplied"."""
    if value is None or value == "":
        return (Text(absent),) if absent else ()
    if isinstance(value, bool):
        return (Text("yes" if value else "no"),)
    if isinstance(value, int | float):
        return (Recorded(whole(value), anchor),)
    return (Name(str(value)),)


def recorded(
    frame: pl.DataFrame,
    *,
    identity: str,
    caption: str,
    columns: Mapping[str, str],
    absent: str = "not supplied",
) -> Table:
    """
    Print a frame of the run's record (receipts, notices) as a table.

    Parameters
    ----------
    frame : DataFrame
        What to print; columns it lacks are left out.
    identity : str
        Anchor of the table.
    caption : str
        What the table shows.
    columns : mapping
        Column to its heading, in the order of printing.
    absent : str
        Words for what is absent.

    Returns
    -------
    Table
        One row for each row of the frame.
    """
    kept = [name for name in columns if name in frame.columns]
    rows = tuple(
        tuple(cell(row[name], absent=absent) for name in kept)
        for row in frame.select(kept).iter_rows(named=True)
    )
    numeric = frozenset(i for i, name in enumerate(kept) if frame.schema[name].is_numeric())
    return Table(identity, caption, tuple(columns[name] for name in kept), rows, numeric)


def joined(parts: Iterable[Spans], *, between: str = " ") -> Spans:
    """Runs of spans in one, with words between them."""
    spans: list[Span] = []
    for part in parts:
        if spans and part:
            spans.append(Text(between))
        spans.extend(part)
    return tuple(spans)
