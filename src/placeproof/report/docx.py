"""The report for Word: real tables, alternative texts, the same bytes each time."""

import io
import os
import re
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from html import escape

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
        reference.write_bytes(_reference(document.title, document.stamp))
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
def _reference(title: str, stamp: str) -> bytes:
    """The converter's own model document, dressed, with title and stamp on every page."""
    plain = _pandoc("--print-default-data-file=reference.docx")
    changes = {
        "word/styles.xml": _dressed,
        "word/document.xml": _paper,
        "word/_rels/document.xml.rels": _with_running_head,
        "[Content_Types].xml": _with_head_type,
    }
    return _rewritten(plain, changes, {"word/header9.xml": _running_head(title, stamp)})


_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _running_head(title: str, stamp: str) -> bytes:
    words = escape(f"{title}   {stamp}" if stamp else title)
    run = (
        f'<w:r><w:rPr><w:b/><w:sz w:val="16"/></w:rPr><w:t xml:space="preserve">{words}</w:t></w:r>'
    )
    page = (
        '<w:r><w:rPr><w:sz w:val="16"/></w:rPr><w:t xml:space="preserve">   </w:t></w:r>'
        '<w:fldSimple w:instr=" PAGE "><w:r><w:rPr><w:sz w:val="16"/></w:rPr><w:t>1</w:t></w:r>'
        "</w:fldSimple>"
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f'<w:hdr xmlns:w="{_WORD}"><w:p>{run}{page}</w:p></w:hdr>'
    ).encode()


def _with_running_head(xml: str) -> str:
    part = f'<Relationship Id="rIdHead" Type="{_OFFICE}/header" Target="header9.xml"/>'
    return xml.replace("</Relationships>", f"{part}</Relationships>")


def _with_head_type(xml: str) -> str:
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.header+xml"
    part = f'<Override PartName="/word/header9.xml" ContentType="{kind}"/>'
    return xml.replace("</Types>", f"{part}</Types>")


def _paper(xml: str) -> str:
    page = (
        f'<w:headerReference xmlns:r="{_OFFICE}" w:type="default" r:id="rIdHead"/>'
        '<w:pgSz w:w="11906" w:h="16838"/>'
        '<w:pgMar w:top="1247" w:right="1134" w:bottom="1134" w:left="1134" w:header="567" '
        'w:footer="567" w:gutter="0"/>'
    )
    xml = re.sub(r"<w:pgSz[^>]*/>|<w:pgMar[^>]*/>", "", xml)
    if "<w:sectPr" not in xml:
        return xml.replace("</w:body>", f"<w:sectPr>{page}</w:sectPr></w:body>")
    xml = re.sub(r"<w:sectPr([^>]*)/>", rf"<w:sectPr\1>{page}</w:sectPr>", xml)
    return re.sub(
        r"(<w:sectPr[^>]*[^/]>|<w:sectPr>)(?!<w:headerReference)", rf"\1{page}", xml, count=1
    )


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

    return _rewritten(made, {"docProps/core.xml": dated})


def _rewritten(
    package: bytes,
    changes: Mapping[str, Callable[[str], str]],
    more: Mapping[str, bytes] | None = None,
) -> bytes:
    """A package with some parts changed or added, and no trace of the clock."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(out, "w") as new:
        parts = {name: old.read(name) for name in old.namelist()} | dict(more or {})
        for name, content in parts.items():
            change = changes.get(name)
            made = change(content.decode("utf-8")).encode("utf-8") if change else content
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, made)
    return out.getvalue()
