"""The report for Word: real tables, alternative texts, the same bytes each time."""

import io
import os
import re
import subprocess
import zipfile
from collections.abc import Mapping
from functools import cache

from placeproof.report import style
from placeproof.report.document import Document
from placeproof.report.html import article

_EPOCH = (1980, 1, 1, 0, 0, 0)


def render(document: Document, *, images: Mapping[str, bytes]) -> bytes:
    """
    Convert the document to DOCX.

    Parameters
    ----------
    document : Document
        The report.
    images : mapping
        The PNG of each figure by its identity.

    Returns
    -------
    bytes
        A DOCX dated by the data cut-off.
    """
    import tempfile
    from pathlib import Path

    names = {identity: f"{index}.png" for index, identity in enumerate(images)}
    page = article(document, images=names)
    with tempfile.TemporaryDirectory(prefix="placeproof-") as folder:
        reference = Path(folder) / "reference.docx"
        reference.write_bytes(_reference())
        target = Path(folder) / "report.docx"
        for identity, name in names.items():
            (Path(folder) / name).write_bytes(images[identity])
        _pandoc(
            "--from=html",
            "--to=docx",
            f"--resource-path={folder}",
            f"--reference-doc={reference}",
            "--metadata",
            f"title={document.title}",
            *(f"--metadata=author:{author}" for author in document.authors),
            "--metadata=lang:en-GB",
            f"--output={target}",
            stdin=page.encode("utf-8"),
        )
        made = target.read_bytes()
    return _steady(made, document.cut_off.isoformat())


def _pandoc(*arguments: str, stdin: bytes = b"") -> bytes:
    import pypandoc

    environment = {**os.environ, "SOURCE_DATE_EPOCH": "315532800"}
    done = subprocess.run(
        [pypandoc.get_pandoc_path(), *arguments],
        input=stdin,
        capture_output=True,
        env=environment,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"pandoc: {done.stderr.decode('utf-8', 'replace')[:500]}")
    return done.stdout


@cache
def _reference() -> bytes:
    """The converter's own model document, dressed in the report's visual language."""
    plain = _pandoc("--print-default-data-file=reference.docx")
    return _rewritten(plain, {"word/styles.xml": _dressed, "word/document.xml": _paper})


def _paper(xml: str) -> str:
    page = (
        '<w:pgSz w:w="11906" w:h="16838"/>'
        '<w:pgMar w:top="1247" w:right="1134" w:bottom="1134" w:left="1134" w:header="567" '
        'w:footer="567" w:gutter="0"/>'
    )
    xml = re.sub(r"<w:pgSz[^>]*/>|<w:pgMar[^>]*/>", "", xml)
    if "<w:sectPr" not in xml:
        return xml.replace("</w:body>", f"<w:sectPr>{page}</w:sectPr></w:body>")
    xml = re.sub(r"<w:sectPr([^>]*)/>", rf"<w:sectPr\1>{page}</w:sectPr>", xml)
    return re.sub(r"(<w:sectPr[^>]*[^/]>|<w:sectPr>)(?!<w:pgSz)", rf"\1{page}", xml, count=1)


def _dressed(xml: str) -> str:
    fonts = '<w:rFonts w:ascii="Arial" w:hAnsi="Arial" w:cs="Arial" w:eastAsia="Arial"/>'
    xml = re.sub(r"<w:rFonts[^>]*/>", fonts, xml)
    xml = re.sub(r'<w:color w:val="[0-9A-Fa-f]{6}"[^>]*/>', _coloured(style.INK), xml)
    return re.sub(
        r'(<w:style [^>]*w:styleId="Table"[^>]*>.*?<w:tblPr>)', rf"\1{_lines()}", xml, flags=re.S
    )


def _coloured(colour: str) -> str:
    return f'<w:color w:val="{colour.lstrip("#")}"/>'


def _lines() -> str:
    colour = style.LINE.lstrip("#")
    sides = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="{colour}"/>'
        for side in ("top", "bottom", "insideH")
    )
    return f"<w:tblBorders>{sides}</w:tblBorders>"


def _steady(made: bytes, day: str) -> bytes:
    def dated(xml: str) -> str:
        return re.sub(
            r"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</)", rf"\g<1>{day}T00:00:00Z\2", xml
        )

    return _rewritten(made, {"docProps/core.xml": dated, "word/document.xml": _small_tables})


def _small_tables(xml: str) -> str:
    """Headings of tables repeat on each page, and rows do not break across pages."""
    return xml.replace("<w:tblHeader/>", '<w:tblHeader w:val="on"/>')


def _rewritten(package: bytes, changes: Mapping[str, object]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            change = changes.get(name)
            if callable(change):
                content = change(content.decode("utf-8")).encode("utf-8")
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, content)
    return out.getvalue()
