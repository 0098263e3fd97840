"""The funder's return as a workbook, a plain table and a page."""

import io
from collections.abc import Sequence
from datetime import date
from html import escape
from importlib.resources import files
from pathlib import Path

import polars as pl

from placeproof.report import style
from placeproof.report.numbers import NARROW, WORDS_FOR_STATUS, whole

GROUP_WORDS: dict[str, str] = {
    "presence": "Hours",
    "patrols": "Patrols",
    "windows": "Tasked windows",
    "enforcement": "Enforcement and contact",
    "weapons": "Weapons",
    "plans": "Problem-solving plans",
    "money": "Money",
}
INCOMPLETE = "*"
"""Stands after a figure of which a part is missing."""

_QUARTERS_ON_PAGE = 8


def write(
    returned: pl.DataFrame,
    folder: Path,
    *,
    study: str,
    force: str,
    sponsor: str,
    stamp: str,
    cut_off: date,
    counts_below: int,
    round_to: int,
) -> list[Path]:
    """
    Write the return into an empty folder.

    Parameters
    ----------
    returned : DataFrame
        By measure and period, past disclosure control.
    folder : Path
        Where to; it is there and empty.
    study, force, sponsor, stamp : str
        As in the report.
    cut_off : date
        Last day of the data.
    counts_below, round_to : int
        The thresholds that were used; the return says so.

    Returns
    -------
    list of Path
        `index.html`, `return.xlsx` and `return.csv`. The same figures give the same bytes.
    """
    notes = _notes(cut_off, counts_below, round_to)
    title = f"Return to {sponsor}" if sponsor else "Return to the funder"
    page = _page(returned, title=title, over=f"{force} · {study}", stamp=stamp, notes=notes)
    made = {
        "index.html": page.encode("utf-8"),
        "return.xlsx": _workbook(returned, [title, f"{force}, {study}", stamp, *notes], cut_off),
        "return.csv": b"\xef\xbb\xbf" + returned.write_csv().encode("utf-8"),
    }
    for name, content in made.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in made]


def shown(row: dict[str, object]) -> str:
    """
    Print one figure of the return.

    Parameters
    ----------
    row : dict
        One row of the return.

    Returns
    -------
    str
        Minutes as hours and minutes; a word where there is no figure.
    """
    value, status = row["value"], str(row["status"])
    if not isinstance(value, int | float):
        return WORDS_FOR_STATUS[status]
    mark = INCOMPLETE if status == "incomplete" else ""
    if row["unit"] == "min":
        minutes = round(value)
        return f"{whole(minutes // 60)}{NARROW}h{NARROW}{minutes % 60:02d}{mark}"
    if row["unit"] == "GBP":
        return f"£{whole(value)}{mark}"
    return f"{whole(value)}{mark}"


def _notes(cut_off: date, counts_below: int, round_to: int) -> list[str]:
    return [
        f"Data up to {cut_off.day} {cut_off:%B %Y}. Days run from 06:00 to 05:59; a night belongs "
        "to the day on which it began.",
        "Not supplied: nobody gave the figure; it is not nought. "
        f"{INCOMPLETE}: a part of the period is missing, and the figure is what is known of it.",
        f"Counts of people and of offences are suppressed below {counts_below}, with the other "
        f"months of their quarter, and otherwise rounded to {round_to}. Time, patrols, windows, "
        "plans and money are exact; minutes are rounded so that months add up to their quarter.",
        "Sources of presence stand beside each other and are never added up. Logged counts are "
        "what officers wrote down.",
    ]


def _periods(returned: pl.DataFrame, kind: str) -> list[str]:
    own = returned.filter(pl.col("kind") == kind).sort("period_start")
    return own["period"].unique(maintain_order=True).to_list()


def _lines(
    returned: pl.DataFrame, kind: str
) -> list[tuple[str, str, dict[str, dict[str, object]]]]:
    """Group, words and cells by period of each line, in the order of the return."""
    lines: dict[tuple[str, str, str], dict[str, dict[str, object]]] = {}
    for row in returned.filter(pl.col("kind") == kind).iter_rows(named=True):
        part = f", {row['part']}" if row["part"] else ""
        key = (str(row["group"]), str(row["measure"]), f"{row['label']}{part}")
        lines.setdefault(key, {})[str(row["period"])] = row
    return [(group, words, cells) for (group, _, words), cells in lines.items()]


def _page(
    returned: pl.DataFrame, *, title: str, over: str, stamp: str, notes: Sequence[str]
) -> str:
    quarters = _periods(returned, "quarter")[-_QUARTERS_ON_PAGE:]
    body = _section("Quarters", "quarter", returned, quarters)
    months = _periods(returned, "month")
    for year in sorted({month[:4] for month in months}, reverse=True):
        own = [month for month in months if month.startswith(year)]
        body += _section(f"Months of {year}", "month", returned, own)
    said = "".join(f"<li>{escape(note)}</li>" for note in notes)
    sealed = f'<p class="stamp">{escape(stamp)}</p>' if stamp else ""
    sheet = files("placeproof.report").joinpath("sheets.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en-GB"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src '
        "'unsafe-inline'; base-uri 'none'; form-action 'none'; script-src 'none'\">"
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style.css()}{sheet}</style></head><body>"
        '<a class="skip" href="#main">Skip to the figures</a><header class="frame">'
        f'<div class="cover"><p class="force" dir="auto">{escape(over)}</p>'
        f'<h1 dir="auto">{escape(title)}</h1>{sealed}</div></header><div class="frame">'
        f'<main id="main"><ul>{said}</ul><p><a href="return.xlsx">As a workbook</a> · '
        f'<a href="return.csv">as a plain table, with a note on each figure</a></p>{body}</main>'
        "</div></body></html>\n"
    )


def _section(title: str, kind: str, returned: pl.DataFrame, periods: Sequence[str]) -> str:
    identity = title.replace(" ", "-").lower()
    head = "".join(f'<th scope="col" class="num">{escape(_period(p))}</th>' for p in periods)
    rows, before = [], ""
    for group, words, cells in _lines(returned, kind):
        if group != before:
            span = len(periods) + 1
            rows.append(
                f'<tr class="g"><th scope="colgroup" colspan="{span}">'
                f"{GROUP_WORDS[group]}</th></tr>"
            )
            before = group
        figures = "".join(_figure(cells.get(period)) for period in periods)
        rows.append(f'<tr><th scope="row">{escape(words)}</th>{figures}</tr>')
    return (
        f'<section><h2 id="{identity}">{escape(title)}</h2><div class="tablebox"><div class="wide" '
        f'role="region" tabindex="0" aria-labelledby="{identity}"><table class="return" '
        f'aria-labelledby="{identity}"><thead><tr><th scope="col">Measure</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></div></section>"
    )


def _figure(row: dict[str, object] | None) -> str:
    if row is None:
        return f'<td class="num none">{WORDS_FOR_STATUS["not_supplied"]}</td>'
    look = "num" if row["value"] is not None else "num none"
    note = f' title="{escape(str(row["note"]))}"' if row["note"] else ""
    return f'<td class="{look}"{note}>{escape(shown(row))}</td>'


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _period(period: str) -> str:
    if "Q" in period:
        return f"{period[4:]} {period[:4]}"
    return f"{_MONTHS[int(period[5:7]) - 1]} {period[:4]}"


def _workbook(returned: pl.DataFrame, notes: Sequence[str], cut_off: date) -> bytes:
    """Three sheets: quarters, months, notes. Minutes stay minutes: a program adds them up."""
    import xlsxwriter  # type: ignore[import-untyped]

    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    book.set_properties({"created": _moment(cut_off)})
    bold = book.add_format({"bold": True})
    number = book.add_format({"num_format": "#,##0"})
    doubt = book.add_format({"num_format": f'#,##0"{INCOMPLETE}"'})
    none = book.add_format({"italic": True, "font_color": style.QUIET, "align": "right"})
    for title, kind in (("Quarters", "quarter"), ("Months", "month")):
        sheet = book.add_worksheet(title)
        periods = _periods(returned, kind)
        for column, words in enumerate(["Group", "Measure", "Unit", *periods]):
            sheet.write_string(0, column, words, bold)
        sheet.freeze_panes(1, 3)
        sheet.set_column(0, 0, 22)
        sheet.set_column(1, 1, 58)
        sheet.set_column(3, 3 + len(periods), 13)
        for line, (group, words, cells) in enumerate(_lines(returned, kind), 1):
            unit = str(next(iter(cells.values()))["unit"])
            for column, text in enumerate((GROUP_WORDS[group], words, unit)):
                sheet.write_string(line, column, text)
            for column, period in enumerate(periods, 3):
                row = cells.get(period)
                value = row["value"] if row else None
                if row and isinstance(value, int | float):
                    look = doubt if row["status"] == "incomplete" else number
                    sheet.write_number(line, column, value, look)
                else:
                    words_for = WORDS_FOR_STATUS[str(row["status"]) if row else "not_supplied"]
                    sheet.write_string(line, column, words_for, none)
                if row and row["note"]:
                    sheet.write_comment(line, column, str(row["note"]))
    sheet = book.add_worksheet("Notes")
    sheet.set_column(0, 0, 110)
    wrapped = book.add_format({"text_wrap": True})
    for line, note in enumerate(note for note in notes if note):
        sheet.write_string(line, 0, note, wrapped)
    book.close()
    return target.getvalue()


def _moment(day: date) -> object:
    from datetime import UTC, datetime, time

    # Without a zone, as the format wants it: the same figures give the same bytes.
    return datetime.combine(day, time(), UTC).replace(tzinfo=None)
