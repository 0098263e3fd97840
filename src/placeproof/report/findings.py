"""Which findings stand where: the parts of a question, chosen by their descriptive keys."""

from collections.abc import Callable, Mapping, Sequence

from placeproof.report import figures
from placeproof.report.document import (
    Block,
    Figure,
    Name,
    Paragraph,
    Span,
    Spans,
    Table,
    Text,
)
from placeproof.report.numbers import is_change
from placeproof.report.spans import figure, number

Row = Mapping[str, object]

ROLE_WORDS: dict[str, str] = {
    "headline": "headline",
    "beside": "beside the headline",
    "robustness": "robustness",
    "negative_control": "negative control",
    "placebo": "placebo",
    "description": "description",
    "not_impact": "not impact",
}

MOST_LINES = 24
"""More lines than this in one figure cannot be read; the table holds them all."""

MOST_ROWS = 40
"""A longer table beside a figure stays on the screen; the annex and the run's tables hold it."""


def plain(identifier: object) -> str:
    """An identifier such as a method's or an estimand's in words."""
    return str(identifier).replace("_", " ").replace("poisson", "Poisson")


def hours_words(hours: object) -> str:
    """Hours of the day in words: "night-time economy (nte-core)", "other hours", "all hours"."""
    kind, _, preset = str(hours).partition(":")
    words = {"nte": "night-time economy hours", "other": "other hours", "all": "all hours"}
    return words.get(kind, kind) + (f" ({preset})" if preset else "")


def subgroup_words(subgroup: object) -> str:
    """A subgroup in words: "age band: 18-24"."""
    variable, _, category = str(subgroup).partition("=")
    return f"{plain(variable)}: {category}" if category else str(subgroup)


def label(row: Row, *parts: str) -> str:
    """What tells a row from its neighbours, from the columns named."""
    words = {
        "outcome": str(row["outcome_label"]),
        "population": str(row["population"]),
        "subgroup": subgroup_words(row["subgroup"]),
        "hours": hours_words(row["hours"]),
        "horizon": str(row["horizon"]),
        "method": plain(row["method"]),
        "estimand": plain(row["estimand"]),
    }
    joined = ", ".join(words[part] for part in parts)
    return joined[:1].upper() + joined[1:]


def differing(rows: Sequence[Row], *candidates: str) -> tuple[str, ...]:
    """The columns in which rows differ: what their labels must say; the first one at least."""
    columns = {"outcome": "outcome_label"}
    found = tuple(
        name for name in candidates if len({str(row[columns.get(name, name)]) for row in rows}) > 1
    )
    return found or candidates[:1]


def estimates_table(
    rows: Sequence[Row], *, identity: str, caption: str, by: Sequence[str], stamp: str = ""
) -> Table:
    """
    Print findings as a table: what, estimate, interval, smallest detectable effect, n, role.

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
        Words that must stand on every table of numbers, such as "exploratory".

    Returns
    -------
    Table
        Columns that are empty for every row are left out.
    """
    columns: list[tuple[str, Callable[[Row], Spans]]] = [
        ("Estimate", lambda row: (number(row),)),
        ("Interval", _interval_cell),
        ("Smallest detectable", lambda row: figure(row, "minimum_detectable_effect")),
        ("Places", lambda row: figure(row, "n_places")),
        ("Based on", lambda row: figure(row, "n")),
    ]
    kept = [(head, cells) for head, make in columns if any(cells := [make(row) for row in rows])]
    shared = _shared_remarks(rows)
    reasons = [_reason_cell(row, shared) for row in rows]
    head = ("What", *(words for words, _ in kept), *(("Remark",) if any(reasons) else ()))
    body = tuple(
        (
            (Name(label(row, *by)),),
            *(cells[index] for _, cells in kept),
            *((reasons[index],) if any(reasons) else ()),
        )
        for index, row in enumerate(rows)
    )
    numeric = frozenset(range(1, 1 + len(kept)))
    return Table(identity, caption, head, body, numeric, note=_note(rows, shared), stamp=stamp)


def _level_note(rows: Sequence[Row]) -> Spans:
    leveled = [row for row in rows if row["status"] == "estimated" and row["level"] is not None]
    firsts = list({row["level"]: row for row in reversed(leveled)}.values())[::-1]
    return (Text("Coverage that the intervals claim: "), *_commas(firsts)) if firsts else ()


def _commas(rows: Sequence[Row]) -> Spans:
    spans: list[Span] = []
    for row in rows:
        spans += [*([Text(", ")] if spans else []), number(row, "level")]
    return tuple(spans)


def _interval_cell(row: Row) -> Spans:
    if row["status"] != "estimated" or row["lower"] is None:
        return ()
    return (number(row, "range"),)


def _shared_remarks(rows: Sequence[Row]) -> tuple[str, ...]:
    """Remarks on numbers that several rows share: said once, under the table."""
    told = [str(row["reason"]) for row in rows if row["reason"] and row["status"] == "estimated"]
    return tuple(words for words in dict.fromkeys(told) if told.count(words) > 1)


def _reason_cell(row: Row, shared: Sequence[str]) -> Spans:
    parts = ["not impact"] if row["role"] == "not_impact" else []
    if row["reason"] and str(row["reason"]) not in shared:
        parts.append(str(row["reason"]))
    return (Name("; ".join(parts)),) if parts else ()


def _note(rows: Sequence[Row], shared: Sequence[str]) -> Spans:
    spans: list[Span] = list(_level_note(rows))
    for words in shared:
        spans += [*([Text(". ")] if spans else []), Name(words.rstrip("."))]
    return (*spans, Text(".")) if spans else ()


def axis_words(rows: Sequence[Row]) -> str:
    """Words for the axis of a figure, from the unit."""
    if is_change(rows[0]):
        return "Change against what was to be expected, per cent"
    unit = str(rows[0]["unit"])
    return "Per cent" if unit == "share" else unit[:1].upper() + unit[1:]


def interval_block(
    rows: Sequence[Row], *, identity: str, title: str, alt: str, by: Sequence[str], stamp: str
) -> tuple[Block, ...]:
    """A figure of intervals with its table, or the table alone when fewer than two can be drawn."""
    if not rows:
        return ()
    table = estimates_table(rows, identity=f"{identity}-table", caption=title, by=by, stamp=stamp)
    drawable = [row for row in rows if row["status"] == "estimated"][:MOST_LINES]
    if len(drawable) < 2 or len({(row["unit"], is_change(row)) for row in drawable}) > 1:
        return (table,)
    spec = figures.intervals(
        [(label(row, *by), row) for row in drawable], axis=axis_words(drawable)
    )
    return (
        Figure(
            identity,
            title,
            alt,
            spec=spec,
            data=table,
            stamp=stamp,
            printed_data=len(drawable) < len(rows) <= MOST_ROWS,
        ),
    )


def series_block(
    rows: Sequence[Row],
    *,
    identity: str,
    title: str,
    alt: str,
    along: str,
    joined: bool,
    stamp: str,
) -> tuple[Block, ...]:
    """A figure along the horizon with its table, or the table alone when nothing can be drawn."""
    if not rows:
        return ()
    kinds = list(dict.fromkeys(_kind_of_horizon(row) for row in rows))
    if len(kinds) > 1:
        return tuple(
            block
            for index, kind in enumerate(kinds)
            for block in series_block(
                [row for row in rows if _kind_of_horizon(row) == kind],
                identity=f"{identity}-{index}",
                title=f"{title} ({kind})",
                alt=alt,
                along=along,
                joined=joined,
                stamp=stamp,
            )
        )
    ordered = sorted(rows, key=_along)
    by = differing(ordered, "horizon", "population", "outcome")
    table = estimates_table(
        ordered, identity=f"{identity}-table", caption=title, by=by, stamp=stamp
    )
    drawable = [row for row in ordered if row["status"] == "estimated"]
    if len(drawable) < 2:
        return (table,)
    spec = figures.series(drawable, axis=axis_words(drawable), along=along, joined=joined)
    return (Figure(identity, title, alt, spec=spec, data=table, stamp=stamp),)


def _kind_of_horizon(row: Row) -> str:
    """What orders a series: "month" in "month=-3", "calendar" in "2020-05"; never two in one."""
    horizon = str(row["horizon"])
    name, _, value = horizon.partition("=")
    return name if value else "calendar" if horizon[:4].isdigit() else "other"


def _along(row: Row) -> tuple[str, int, str]:
    at = figures.position(str(row["horizon"]))
    return (str(row["population"]), at if at is not None else 0, str(row["horizon"]))


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
