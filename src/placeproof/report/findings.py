"""Findings as tables and figures shaped for reading."""

from collections.abc import Callable, Mapping, Sequence

from placeproof.report import figures
from placeproof.report.document import (
    Figure,
    Name,
    Paragraph,
    Reference,
    Span,
    Spans,
    Table,
    Text,
)
from placeproof.report.numbers import is_change
from placeproof.report.spans import figure, number
from placeproof.report.words import (
    capital,
    estimand_words,
    horizon_words,
    hours_words,
    method_words,
    subgroup_words,
)

Row = Mapping[str, object]
Cell = Callable[[Row], Spans]


def label(row: Row, *parts: str) -> str:
    """What tells a row from its neighbours, from the columns named."""
    words: dict[str, Callable[[], str]] = {
        "outcome": lambda: str(row["outcome_label"]),
        "population": lambda: str(row["population"]),
        "subgroup": lambda: subgroup_words(row["subgroup"]),
        "hours": lambda: hours_words(row["hours"]),
        "horizon": lambda: horizon_words(row["horizon"]),
        "method": lambda: method_words(row),
        "estimand": lambda: estimand_words(row),
    }
    return capital(", ".join(words[part]() for part in parts))


def differing(rows: Sequence[Row], *candidates: str) -> tuple[str, ...]:
    """The columns in which rows differ: what their labels must say; the first one at least."""
    columns = {"outcome": "outcome_label"}
    found = tuple(
        name for name in candidates if len({str(row[columns.get(name, name)]) for row in rows}) > 1
    )
    return found or candidates[:1]


def alone(row: Row) -> Spans:
    """The estimate, or in words why there is none."""
    return (number(row),)


def with_interval(row: Row) -> Spans:
    """The estimate with its interval in brackets."""
    if row["status"] != "estimated" or row["lower"] is None or row["upper"] is None:
        return (number(row),)
    return (number(row), Text(" ("), number(row, "range"), Text(")"))


def pivot(
    rows: Sequence[Row],
    *,
    identity: str,
    caption: str,
    corner: str,
    down: Callable[[Row], str],
    across: Callable[[Row], str],
    columns: Sequence[str],
    stamp: str,
    cell: Cell = with_interval,
    note: Spans = (),
    widths: tuple[float, ...] = (),
) -> Table:
    """
    Arrange findings in rows and columns.

    Parameters
    ----------
    rows : sequence of findings
        One for each cell at most; the first one counts.
    identity, caption, corner : str
        Anchor, caption and the heading of the first column.
    down, across : callable
        The words of a finding's row and of its column.
    columns : sequence of str
        The columns in order; those that no finding fills are left out.
    stamp : str
        A word for the caption, such as "exploratory".
    cell : callable
        What stands in a cell.
    note : spans
        Words under the table.
    widths : tuple of float
        Shares of the page for each column.

    Returns
    -------
    Table
        Rows in the order of their first finding.
    """
    cells: dict[str, dict[str, Row]] = {}
    for row in rows:
        cells.setdefault(down(row), {}).setdefault(across(row), row)
    filled = [name for name in columns if any(name in line for line in cells.values())]
    body = tuple(
        (
            (Name(capital(words)),),
            *(cell(line[name]) if name in line else () for name in filled),
        )
        for words, line in cells.items()
    )
    head = (corner, *(capital(name) for name in filled))
    sizes = widths if len(widths) == len(head) else ()
    return Table(
        identity, caption, head, body, frozenset(range(1, len(head))), note=note, stamp=stamp,
        widths=sizes, named_head=True,
    )  # fmt: skip


def estimates_table(
    rows: Sequence[Row], *, identity: str, caption: str, by: Sequence[str], stamp: str = ""
) -> Table:
    """
    Print findings one to a row: estimate with interval, smallest detectable change, places, n.

    Parameters
    ----------
    rows : sequence of findings
        In the order of printing.
    identity : str
        Anchor of the table.
    caption : str
        What the table shows.
    by : sequence of str
        Columns that name the row.
    stamp : str
        A word for the caption, such as "exploratory".

    Returns
    -------
    Table
        Columns that are empty for every row are left out.
    """
    columns: list[tuple[str, Cell]] = [
        ("Estimate", alone),
        ("Interval", _interval_cell),
        ("Smallest detectable", lambda row: figure(row, "minimum_detectable_effect")),
        ("Places", lambda row: figure(row, "n_places")),
        ("Based on", lambda row: figure(row, "n")),
    ]
    kept = [(head, cells) for head, make in columns if any(cells := [make(row) for row in rows])]
    body = tuple(
        ((Name(label(row, *by)),), *(cells[index] for _, cells in kept))
        for index, row in enumerate(rows)
    )
    head = ("What", *(words for words, _ in kept))
    numeric = frozenset(range(1, 1 + len(kept)))
    return Table(
        identity, caption, head, body, numeric, note=level_note(rows), stamp=stamp,
        widths=_wide_first(len(kept)),
    )  # fmt: skip


def _wide_first(others: int) -> tuple[float, ...]:
    rest = 0.56 / max(others, 4)
    return (1 - rest * others, *(rest for _ in range(others)))


def level_note(rows: Sequence[Row]) -> Spans:
    """What share of the time the intervals claim to hold the truth."""
    leveled = [
        row
        for row in rows
        if row["status"] == "estimated" and row["level"] is not None and row["lower"] is not None
    ]
    firsts = list({row["level"]: row for row in reversed(leveled)}.values())[::-1]
    if not firsts:
        return ()
    spans: list[Span] = [Text("In brackets or beside it: ")]
    for index, row in enumerate(firsts):
        spans += [*([Text(", ")] if index else []), number(row, "level")]
    return (*spans, Text(" intervals."))


def _interval_cell(row: Row) -> Spans:
    if row["status"] != "estimated" or row["lower"] is None:
        return ()
    return (number(row, "range"),)


def axis_words(row: Row) -> str:
    """Words for the axis of a figure, from the unit."""
    if is_change(row):
        return "Change against what was to be expected, per cent"
    unit = str(row["unit"])
    return "Per cent" if unit == "share" else capital(unit)


def forest(
    lines: Sequence[tuple[str, Row]], *, identity: str, title: str, alt: str, stamp: str
) -> tuple[Figure, ...]:
    """A figure of intervals of one unit and one method, with the table behind it."""
    lines = [(words, row) for words, row in lines if row["status"] == "estimated"]
    if len(lines) < 2:
        return ()
    rows = [row for _, row in lines]
    table = estimates_table(
        rows, identity=f"{identity}-table", caption=title,
        by=differing(rows, "outcome", "population", "hours", "subgroup"), stamp=stamp,
    )  # fmt: skip
    spec = figures.intervals(lines, axis=axis_words(rows[0]))
    return (Figure(identity, title, alt, spec=spec, data=table, stamp=stamp),)


def more(words: str, key: str) -> Paragraph:
    """Where the findings that a section does not print can be found."""
    return Paragraph(
        (Text(words), Reference("annex of all findings", f"all-{key}"), Text(".")), "note"
    )


def not_impact_note() -> Paragraph:
    """The label that a before/after comparison carries wherever it stands."""
    return Paragraph(
        (
            Text("Not impact. ", strong=True),
            Text(
                "A comparison of before with after alone measures everything that changed "
                "between the two, the patrols among it."
            ),
        ),
        style="note",
    )
