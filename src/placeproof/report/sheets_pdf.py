"""Sheets as tagged PDF: pages as data, laid out by one typesetting template."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, time
from importlib.resources import files
from typing import Any

from placeproof.report import style
from placeproof.report.sheets_contents import SheetContents
from placeproof.report.sheets_look import SHADES, above, alternatives, foot, texts
from placeproof.report.sheets_page import Page

STANDARD = "ua-1"


def render(contents: SheetContents, pages: Sequence[Page], *, title: str) -> bytes:
    """
    Typeset pages into one file.

    Parameters
    ----------
    contents : SheetContents
        For what all pages share.
    pages : sequence of Page
        One A4 page each.
    title : str
        Of the file.

    Returns
    -------
    bytes
        A tagged PDF (PDF/UA-1), dated by the data cut-off. Where a script of a name has no font on
        this machine the standard cannot be met; then the PDF is tagged without claiming it.
    """
    return typeset(*prepared(contents, pages, title=title))


def prepared(
    contents: SheetContents, pages: Sequence[Page], *, title: str
) -> tuple[dict[str, bytes], int]:
    """
    Turn pages into what the typesetter reads, so that another process can do the work.

    Parameters
    ----------
    contents : SheetContents
    pages : sequence of Page
    title : str

    Returns
    -------
    (dict of str to bytes, int)
        Files by name, and the moment that the file is dated by.
    """
    cut_off = contents.cut_off
    data = {
        "title": title,
        "authors": [contents.force] if contents.force else [],
        "stamp": contents.stamp,
        "foot": foot(contents),
        "cut_off": [cut_off.year, cut_off.month, cut_off.day],
        "fonts": list(style.PRINT_FONTS),
        "ink": style.INK,
        "quiet": style.QUIET,
        "line": style.LINE,
        "wash": style.WASH,
        "shades": list(SHADES),
        "words": dict(texts(contents)),
    }
    plain = [_plain(contents, page, n) for n, page in enumerate(pages)]
    inputs = {
        "main": files("placeproof.report").joinpath("sheets.typ").read_bytes(),
        "look.json": json.dumps(data, ensure_ascii=False).encode("utf-8"),
        "pages.json": json.dumps(plain, ensure_ascii=False).encode("utf-8"),
    }
    return inputs, int(datetime.combine(cut_off, time(), UTC).timestamp())


def typeset(inputs: dict[str, bytes], moment: int) -> bytes:
    """
    Typeset what `prepared` made.

    Parameters
    ----------
    inputs : dict of str to bytes
    moment : int

    Returns
    -------
    bytes
        As `render`.
    """
    import typst

    # The package's own types do not know that several files may be given by name.
    compile_files: Any = typst.compile
    try:
        made: bytes = compile_files(
            inputs, format="pdf", pdf_standards=[STANDARD], timestamp=moment
        )
    except typst.TypstError as problem:
        if "UA" not in str(problem):
            raise
        made = compile_files(inputs, format="pdf", timestamp=moment)
    return made


def _plain(contents: SheetContents, page: Page, number: int) -> dict[str, object]:
    alt_histogram, alt_map = alternatives(contents, page)
    return {
        "anchor": f"sheet-{number}",
        "above": above(contents, page),
        "name": page.name,
        "week_words": page.week_words,
        "headline": page.headline,
        "stands_out": page.stands_out,
        "measures": [list(row) for row in page.measures],
        "windows": [asdict(window) for window in page.windows],
        "windows_words": page.windows_words,
        "calendar": _shading(page.calendar),
        "bands": None if page.bands is None else _shading(page.bands),
        "histogram": page.histogram,
        "histogram_alt": alt_histogram,
        "histogram_words": page.histogram_words,
        "drawing": page.drawing,
        "drawing_alt": alt_map,
        "drawing_words": page.drawing_words,
        "crimes": [list(row) for row in page.crimes],
        "source": page.source,
    }


def _shading(shading: Any) -> dict[str, object]:
    return {
        "head": list(shading.head),
        "now": shading.now,
        "rows": [
            [words, [[cell.words, cell.shade, cell.missed] for cell in cells]]
            for words, cells in shading.rows
        ],
    }
