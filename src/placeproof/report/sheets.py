"""Sergeant's sheets: one page per hot spot and week, as PDF and HTML."""

import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from placeproof.report import sheets_html, sheets_pdf
from placeproof.report.sheets_contents import SheetContents
from placeproof.report.sheets_page import Page, Sheets

Progress = Callable[[str, int, int], None]
_FEW_PAGES = 200
_AT_ONCE = 4
"""Files that a process typesets before it ends."""


def write(contents: SheetContents, folder: Path, *, progress: Progress) -> list[Path]:
    """
    Write the sheets of all hot spots and weeks into an empty folder.

    Parameters
    ----------
    contents : SheetContents
        Tables of one run.
    folder : Path
        Where to; it is there and empty.
    progress : callable
        Told of each hot spot.

    Returns
    -------
    list of Path
        `index.html` and `sheets.pdf` (every hot spot, newest week), a page for each hot spot, and,
        where several weeks are printed, a PDF with all weeks of each. The same contents give the
        same bytes.
    """
    ids = contents.places.sort("hotspot_id")["hotspot_id"].to_list()
    names = file_names(ids)
    several = len(contents.weeks) > 1
    newest: list[tuple[Page, str]] = []
    written = [folder / "index.html", folder / "sheets.pdf"]
    cores = min(os.cpu_count() or 1, 8)
    for first in range(0, len(ids), cores * _AT_ONCE):
        with _typesetters(len(ids) * len(contents.weeks) if several else 0, cores) as typesetters:
            waiting: list[Future[None]] = []
            for done, hotspot_id in enumerate(ids[first : first + cores * _AT_ONCE], first):
                progress(f"sheet of {hotspot_id}", done, len(ids))
                pages = list(Sheets(contents, hotspot_id).pages())
                stem = names[hotspot_id]
                newest.append((pages[-1], f"{stem}.html"))
                pdf = f"{stem}.pdf" if several else "sheets.pdf"
                if several:
                    title = f"Sheets of {pages[-1].name}"
                    made = sheets_pdf.prepared(contents, pages, title=title)
                    waiting.append(typesetters.submit(_typeset, folder / pdf, *made))
                    written.append(folder / pdf)
                html = sheets_html.place(contents, pages, pdf=pdf)
                (folder / f"{stem}.html").write_bytes(html.encode("utf-8"))
                written.append(folder / f"{stem}.html")
            for future in waiting:
                future.result()
    firsts = [page for page, _ in newest]
    _typeset(
        folder / "sheets.pdf",
        *sheets_pdf.prepared(contents, firsts, title="Sheets of the hot spots"),
    )
    index = sheets_html.index(contents, newest)
    (folder / "index.html").write_bytes(index.encode("utf-8"))
    progress("sheets", len(ids), len(ids))
    return written


def file_names(hotspot_ids: Sequence[str]) -> dict[str, str]:
    """
    Give each hot spot a name that every file system takes.

    Parameters
    ----------
    hotspot_ids : sequence of str

    Returns
    -------
    dict
        Id to a name without ending; two ids never share one, whatever their case.
    """
    names: dict[str, str] = {}
    taken = {"index", "sheets"}
    for hotspot_id in hotspot_ids:
        plain = re.sub(r"[^A-Za-z0-9]+", "-", hotspot_id).strip("-")[:60] or "hot-spot"
        name, n = plain, 1
        while name.casefold() in taken:
            n += 1
            name = f"{plain}-{n}"
        taken.add(name.casefold())
        names[hotspot_id] = name
    return names


def _typesetters(pages: int, cores: int) -> Executor:
    """
    Processes of their own for many pages.

    The typesetter never forgets what it has laid out, so processes are replaced after a few files;
    by new executors, because one that replaces its own workers can come to a stop in Python 3.11.
    """
    if pages <= _FEW_PAGES or cores == 1:
        return ThreadPoolExecutor(max_workers=1)
    return ProcessPoolExecutor(max_workers=cores, mp_context=get_context("spawn"))


def _typeset(path: Path, inputs: dict[str, bytes], moment: int) -> None:
    path.write_bytes(sheets_pdf.typeset(inputs, moment))
