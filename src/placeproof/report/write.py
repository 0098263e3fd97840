"""Writing the report: one source, three files, each whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path

from placeproof.errors import OutputError
from placeproof.report import build, figures, html
from placeproof.report.contents import ReportContents
from placeproof.report.document import Document, figures_of

FORMATS: tuple[str, ...] = ("html", "pdf", "docx")


def write(
    contents: ReportContents, folder: Path, *, formats: tuple[str, ...] = FORMATS
) -> list[Path]:
    """
    Write the report into a folder.

    Parameters
    ----------
    contents : ReportContents
        What one run found, already past disclosure control.
    folder : Path
        Where `report.html`, `report.pdf` and `report.docx` go; made if it is not there.
    formats : tuple of str
        Which of html, pdf, docx.

    Returns
    -------
    list of Path
        The files, in the order of `formats`. The same contents give the same bytes.

    Raises
    ------
    OutputError
        If a file cannot be written, for instance because it is open in another program. The
        others are written all the same, and a file that stood there before stays whole.
    """
    document = build.document(contents)
    drawings = drawings_of(document)
    makers: dict[str, Callable[[], bytes]] = {
        "html": lambda: html.page(document, drawings=drawings).encode("utf-8"),
        "pdf": lambda: _pdf(document, drawings),
        "docx": lambda: _docx(document, drawings),
    }
    written: list[Path] = []
    refused: list[str] = []
    for name in formats:
        target = folder / f"report.{name}"
        made = makers[name]()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _replace(target, made)
            written.append(target)
        except OSError as problem:
            refused.append(f"{target}: {problem.strerror or problem}")
    if refused:
        raise OutputError(
            f"The report could not be written. {'; '.join(refused)}. "
            f"Written: {', '.join(path.name for path in written) or 'none'}.",
            mend="close the file where it is open, or free the disk, and run again",
        )
    return written


def drawings_of(document: Document) -> dict[str, str]:
    """The drawing of each figure by its identity, made once for all formats."""
    return {
        figure.identity: figures.svg(figure.spec) if figure.spec is not None else figure.svg
        for figure in figures_of(document)
    }


def _pdf(document: Document, drawings: dict[str, str]) -> bytes:
    from placeproof.report import pdf

    return pdf.render(document, drawings=drawings)


def _docx(document: Document, drawings: dict[str, str]) -> bytes:
    from placeproof.report import docx

    images = {identity: figures.png(drawing) for identity, drawing in drawings.items()}
    return docx.render(document, images=images)


def _replace(target: Path, content: bytes) -> None:
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
