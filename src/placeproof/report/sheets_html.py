"""Sheets as self-contained pages: an index, and one page per hot spot with its weeks."""

from collections.abc import Sequence
from html import escape
from importlib.resources import files

from placeproof.report import style
from placeproof.report.sheets_contents import SheetContents
from placeproof.report.sheets_look import SHADES, above, alternatives, foot, texts
from placeproof.report.sheets_page import Cell, Listed, Page, Shading


def index(contents: SheetContents, entries: Sequence[tuple[Page, str]]) -> str:
    """
    List the hot spots with the newest week of each, in the order of their ids.

    Parameters
    ----------
    contents : SheetContents
    entries : sequence of (Page, str)
        Newest page of each hot spot, and the name of its file.

    Returns
    -------
    str
        HTML that makes no request to anywhere.
    """
    rows = "".join(
        f'<tr><th scope="row" dir="auto"><a href="{escape(file)}">{escape(page.name)}</a></th>'
        f'<td data-head="Week">{escape(page.headline)}</td>'
        f'<td data-head="Stands out">{escape(page.stands_out)}</td></tr>'
        for page, file in entries
    )
    week = entries[0][0].week_words if entries else "No hot spot"
    pdf = '<p><a href="sheets.pdf">All sheets of this week as PDF</a></p>' if entries else ""
    body = (
        f'<h2 id="sheets">{escape(week)}</h2>{pdf}<div class="tablebox list"><div class="wide" '
        'role="region" aria-labelledby="sheets" tabindex="0"><table aria-labelledby="sheets">'
        '<thead><tr><th scope="col">Hot spot</th><th scope="col">The week</th>'
        f'<th scope="col">What stands out in the last {contents.weeks_back} weeks</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></div>"
    )
    return _page(contents, "Sheets of the hot spots", contents.force, body)


def place(contents: SheetContents, pages: Sequence[Page], *, pdf: str) -> str:
    """
    Write all printed weeks of one hot spot, the newest first and open.

    Parameters
    ----------
    contents : SheetContents
    pages : sequence of Page
        In order of time; at least one.
    pdf : str
        Name of the file with the same pages.

    Returns
    -------
    str
        HTML that makes no request to anywhere.
    """
    newest, *older = reversed(pages)
    body = (
        f'<p class="weeks"><a href="index.html">All hot spots</a> · <a href="{escape(pdf)}">'
        f"As PDF, for printing</a></p>{_sheet(contents, newest)}"
    )
    for page in older:
        body += (
            f'<details class="fold"><summary>{escape(page.week_words)}</summary>'
            f"{_sheet(contents, page)}</details>"
        )
    return _page(contents, newest.name, above(contents, newest), body)


def _page(contents: SheetContents, title: str, over: str, body: str) -> str:
    sheet = files("placeproof.report").joinpath("sheets.css").read_text(encoding="utf-8")
    shades = "".join(f".s{level}{{background:{colour}}}" for level, colour in enumerate(SHADES))
    shades += f".s{len(SHADES) - 1}{{color:{style.PAPER}}}"
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        "form-action 'none'; script-src 'none'"
    )
    stamp = f'<p class="stamp">{escape(contents.stamp)}</p>' if contents.stamp else ""
    return (
        '<!doctype html>\n<html lang="en-GB"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style.css()}{sheet}{shades}</style></head><body>"
        '<a class="skip" href="#main">Skip to the sheets</a>'
        f'<header class="frame"><div class="cover"><p class="force" dir="auto">{escape(over)}</p>'
        f'<h1 dir="auto">{escape(title)}</h1>{stamp}</div></header>'
        f'<div class="frame"><main id="main">{body}</main></div>'
        f'<footer class="frame"><p>{escape(foot(contents))}</p></footer></body></html>\n'
    )


def _sheet(contents: SheetContents, page: Page) -> str:
    words = texts(contents)
    key = f"w{page.week.isoformat()}"
    lengths, where = alternatives(contents, page)
    parts = [
        _part(key, "delivered", words, _figures(key, page.measures, words["measures"])),
        _part(key, "not_kept", words, _windows(key, page, words["windows"])),
        _part(
            key,
            "calendar",
            words,
            _shaded(f"{key}-calendar", page.calendar)
            + f'<p class="note">{escape(str(words["calendar_note"]))}</p>',
        ),
        _part(key, "lengths", words, _figure(page.histogram, lengths, page.histogram_words)),
        _part(key, "map", words, _figure(page.drawing, where, page.drawing_words)),
    ]
    if page.bands is not None:
        parts.append(_part(key, "bands", words, _shaded(f"{key}-bands", page.bands)))
    if page.crimes:
        table = _figures(f"{key}-crimes", page.crimes, words["crimes_head"])
        note = f'<p class="note">{escape(str(words["crimes_note"]))}</p>'
        parts.append(_part(key, "crimes", words, table + note))
    return (
        f'<section class="sheet" id="{key}" aria-labelledby="{key}-week">'
        f'<h2 id="{key}-week">{escape(page.week_words)}</h2>'
        f'<p class="lead">{escape(page.headline)}</p>'
        f'<div class="out"><h3>{escape(str(words["stands_out"]))}</h3>'
        f"<p>{escape(page.stands_out)}</p></div>"
        f'<div class="parts">{"".join(parts)}</div>'
        f'<p class="note">{escape(page.source)}</p></section>'
    )


def _part(key: str, name: str, words: object, inner: str) -> str:
    title = escape(str(words[name]))  # type: ignore[index]
    return f'<div class="part"><h3 id="{key}-{name}">{title}</h3>{inner}</div>'


def _figures(key: str, rows: Sequence[tuple[str, ...]], head: object) -> str:
    titles = "".join(
        f'<th scope="col" class="num">{escape(title)}</th>' if title else "<td></td>"
        for title in head  # type: ignore[attr-defined]
    )
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(
            f'<td class="num{" now" if column == 0 else ""}">{escape(cell)}</td>'
            for column, cell in enumerate(rest)
        )
        + "</tr>"
        for first, *rest in rows
    )
    label = key if key.endswith("-crimes") else f"{key}-delivered"
    return (
        f'<div class="wide"><table aria-labelledby="{label}"><thead><tr>{titles}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _windows(key: str, page: Page, head: object) -> str:
    words = f"<p>{escape(page.windows_words)}</p>" if page.windows_words else ""
    if not page.windows:
        return words
    titles = "".join(f'<th scope="col">{escape(str(title))}</th>' for title in list(head))  # type: ignore[call-overload]
    body = "".join(_window(window) for window in page.windows)
    return (
        f'<div class="wide"><table aria-labelledby="{key}-not_kept"><thead><tr>{titles}</tr>'
        f"</thead><tbody>{body}</tbody></table></div>{words}"
    )


def _window(window: Listed) -> str:
    again = f", {window.again}" if window.again else ""
    look = ' class="again"' if window.again else ""
    return (
        f'<tr{look}><th scope="row">{escape(window.day)} <span class="hours">'
        f"{escape(window.hours)}</span></th><td>{escape(window.there)} of {escape(window.asked)}"
        f"</td><td>{escape(window.state + again)}</td>"
        f'<td dir="auto">{escape(window.reason)}</td></tr>'
    )


def _shaded(label: str, shading: Shading) -> str:
    head = "".join(
        f'<th scope="col">{escape(title)}</th>' if title else "<td></td>" for title in shading.head
    )
    body = "".join(
        f'<tr{" class=now" if index == shading.now else ""}><th scope="row">{escape(words)}</th>'
        f"{''.join(_cell(cell) for cell in cells)}</tr>"
        for index, (words, cells) in enumerate(shading.rows)
    )
    return (
        f'<table class="shaded" aria-labelledby="{label}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _cell(cell: Cell) -> str:
    look = " ".join(
        [*([f"s{cell.shade}"] if cell.shade >= 0 else []), *(["missed"] if cell.missed else [])]
    )
    mark = "\u202f×" if cell.missed else ""
    named = f' class="{look}"' if look else ""
    return f"<td{named}>{escape(cell.words)}{mark}</td>"


def _figure(drawing: str, alt: str, words: str) -> str:
    if not drawing:
        return f"<p>{escape(words)}</p>"
    return (
        f'<figure><div role="img" aria-label="{escape(alt)}">{drawing}</div>'
        f"<figcaption>{escape(words)}</figcaption></figure>"
    )
