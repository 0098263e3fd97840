"""The report as tagged PDF: the document as data, laid out by one typesetting template."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, time
from importlib.resources import files
from typing import Any

from placeproof.report import style
from placeproof.report.document import (
    Authored,
    Block,
    Bullets,
    Day,
    Document,
    Figure,
    Heading,
    Name,
    Number,
    Paragraph,
    Recorded,
    Reference,
    Section,
    Span,
    Spans,
    Table,
    Text,
    blocks_of,
    on_paper,
)
from placeproof.report.numbers import NARROW

STANDARD = "ua-1"
"""PDF/UA-1: readable by assistive technology."""


def render(document: Document, *, drawings: Mapping[str, str]) -> bytes:
    """
    Typeset the document.

    Parameters
    ----------
    document : Document
        The report.
    drawings : mapping
        The SVG of each figure by its identity.

    Returns
    -------
    bytes
        A tagged PDF (PDF/UA-1), dated by the data cut-off. Where a script of the text has no font
        on this machine the standard cannot be met; then the PDF is tagged without claiming it.
    """
    import typst

    document = on_paper(document)
    anchors = {
        anchor
        for block in blocks_of(document)
        if isinstance(block, Table)
        for anchor in block.anchors
    }
    data = _Plain(anchors).document(document)
    names = {identity: f"{index}.svg" for index, identity in enumerate(drawings)}
    data["drawings"] = names
    inputs = {
        "main": files("placeproof.report").joinpath("report.typ").read_bytes(),
        "document.json": json.dumps(data, ensure_ascii=False).encode("utf-8"),
        **{names[identity]: drawing.encode("utf-8") for identity, drawing in drawings.items()},
    }
    # The package's own types do not know that several files may be given by name.
    compile_files: Any = typst.compile
    moment = int(datetime.combine(document.cut_off, time(), UTC).timestamp())
    try:
        made: bytes = compile_files(
            inputs, format="pdf", pdf_standards=[STANDARD], timestamp=moment
        )
    except typst.TypstError as problem:
        if STANDARD.upper().replace("-", "/") not in str(problem) and "UA" not in str(problem):
            raise
        made = compile_files(inputs, format="pdf", timestamp=moment)
    return made


_UNBROKEN = 22
"""A figure up to this length, such as an interval's ends, is never broken over two lines."""


class _Plain:
    """The document as plain lists and mappings, which the template reads."""

    def __init__(self, anchors: set[str]) -> None:
        self.anchors = anchors

    def document(self, document: Document) -> dict[str, object]:
        return {
            "title": document.title,
            "force": document.force,
            "authors": list(document.authors),
            "stamp": document.stamp,
            "cut_off": [document.cut_off.year, document.cut_off.month, document.cut_off.day],
            "facts": [[words, self.spans(value)] for words, value in document.facts],
            "sections": [self.section(section, 1) for section in document.sections],
            "fonts": list(style.PRINT_FONTS),
            "ink": style.INK,
            "quiet": style.QUIET,
            "line": style.LINE,
            "wash": style.WASH,
        }

    def section(self, section: Section, level: int) -> dict[str, object]:
        return {
            "id": section.identity,
            "level": level,
            "title": self.spans(section.title),
            "kind": section.kind,
            "blocks": [self.block(block) for block in section.blocks],
            "sections": [self.section(child, level + 1) for child in section.sections],
        }

    def block(self, block: Block) -> dict[str, object]:
        match block:
            case Paragraph(spans=spans, style=look):
                return {"is": "paragraph", "spans": self.spans(spans), "style": look}
            case Heading(spans=spans):
                return {"is": "heading", "spans": self.spans(spans)}
            case Bullets(items=items, ordered=ordered):
                points = [self.spans(item) for item in items]
                return {"is": "bullets", "items": points, "ordered": ordered}
            case Table():
                return self.table(block)
            case Figure():
                stamp = f" ({block.stamp})" if block.stamp else ""
                alt = f"{block.title}. {block.alt}"
                title = block.title + stamp
                return {
                    "is": "figure",
                    "id": block.identity,
                    "title": title,
                    "alt": alt,
                    "note": self.spans(block.note),
                }
            case _:
                raise TypeError(f"no place on paper for {type(block).__name__}")

    def table(self, table: Table) -> dict[str, object]:
        return {
            "is": "table",
            "caption": table.caption + (f" ({table.stamp})" if table.stamp else ""),
            "head": list(table.head),
            "rows": [[self.spans(cell) for cell in row] for row in table.rows],
            "numeric": sorted(table.numeric),
            "anchors": list(table.anchors),
            "widths": list(table.widths) or _widths(table),
            "note": self.spans(table.note),
            "groups": {str(index): self.spans(words) for index, words in table.groups},
        }

    def spans(self, spans: Spans) -> list[list[str]]:
        return [self.span(span) for span in spans]

    def span(self, span: Span) -> list[str]:
        match span:
            case Number(words=words, finding_id=identity):
                anchor = f"f-{identity}"
                words = words.replace(" ", "\u00a0") if len(words) <= _UNBROKEN else words
                return [words, "", anchor if anchor in self.anchors else ""]
            case Day(day=day):
                return [f"{day.day} {day:%B %Y}", "", ""]
            case Recorded(words=words) | Reference(words=words):
                return [words, "", ""]
            case Text(words=words, strong=strong):
                return [words, "strong" if strong else "", ""]
            case Name(words=words, strong=strong, code=code):
                return [words, "code" if code else "strong" if strong else "", ""]
            case Authored(words=words, strong=strong, emphasis=emphasis, code=code):
                look = "code" if code else "strong" if strong else "emph" if emphasis else ""
                return [words, look, ""]


def _widths(table: Table) -> list[float]:
    """Shares of the page for each column, by the longest words and the length of the cells."""
    longest = [max(_room(words), 6.0) for words in table.head]
    for row in table.rows:
        for index, cell in enumerate(row):
            words = "".join(getattr(span, "words", "00 September 0000") for span in cell)
            fits = len(words) if index in table.numeric else min(len(words), 34)
            longest[index] = max(longest[index], float(min(fits, 40)))
    total = sum(longest)
    return [size / total for size in longest]


def _room(words: str) -> float:
    return float(max((len(word) for word in words.replace(NARROW, " ").split()), default=1) + 2)
