"""The report as a tree of sections, before it has a format: one source, rendered three ways."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date


@dataclass(frozen=True)
class Text:
    """Words of a template. They hold no digits; a test reads every one of them."""

    words: str
    strong: bool = False


@dataclass(frozen=True)
class Name:
    """Words that come with the data or the plan: labels, places, reasons, definitions."""

    words: str
    strong: bool = False
    code: bool = False


@dataclass(frozen=True)
class Number:
    """A figure of a finding; it links to the finding's provenance."""

    words: str
    finding_id: str


@dataclass(frozen=True)
class Recorded:
    """A figure of the run's own record (files, rows, seed); it links to that record."""

    words: str
    anchor: str = ""


@dataclass(frozen=True)
class Day:
    """A calendar day."""

    day: date


@dataclass(frozen=True)
class Authored:
    """Words of the authors, from the study's own text folder."""

    words: str
    strong: bool = False
    emphasis: bool = False
    code: bool = False
    target: str = ""


@dataclass(frozen=True)
class Reference:
    """Words of a template that lead to another part of the report."""

    words: str
    anchor: str


Span = Text | Name | Number | Recorded | Day | Authored | Reference
Spans = tuple[Span, ...]


@dataclass(frozen=True)
class Paragraph:
    """Running text; `style` is "", "lead", "note", "label" or "stamp"."""

    spans: Spans
    style: str = ""


@dataclass(frozen=True)
class Bullets:
    """A list of points."""

    items: tuple[Spans, ...]
    ordered: bool = False


@dataclass(frozen=True)
class Heading:
    """A heading inside an author's text."""

    spans: Spans


@dataclass(frozen=True)
class Table:
    """
    A table with a caption; the first column names the row; `numeric` columns align right.

    Before the row with the index of a group stand the group's words, across all columns.
    `named_head` says that the words of the head come with the data.
    """

    identity: str
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Spans, ...], ...]
    numeric: frozenset[int] = frozenset()
    note: Spans = ()
    anchors: tuple[str, ...] = ()
    stamp: str = ""
    widths: tuple[float, ...] = ()
    groups: tuple[tuple[int, Spans], ...] = ()
    named_head: bool = False


@dataclass(frozen=True)
class Figure:
    """A chart (Vega-Lite `spec`) or a drawing (`svg`), with its words for those who do not see it.

    On paper the table behind it stands in the annex, unless `printed_data` wants it here too.
    """

    identity: str
    title: str
    alt: str
    spec: Mapping[str, object] | None = None
    svg: str = ""
    note: Spans = ()
    data: Table | None = None
    stamp: str = ""
    printed_data: bool = False


@dataclass(frozen=True)
class Invitation:
    """A hint for the authors that a text of theirs could stand here; on screen only."""

    spans: Spans


@dataclass(frozen=True)
class Folded:
    """Blocks that a reader on screen opens; on paper they are open, or left to the annex."""

    summary: str
    blocks: "tuple[Block, ...]"
    printed: bool = True


Block = Paragraph | Bullets | Heading | Table | Figure | Invitation | Folded


@dataclass(frozen=True)
class Section:
    """A part of the report with a heading that others can link to."""

    identity: str
    title: Spans
    blocks: tuple[Block, ...] = ()
    sections: "tuple[Section, ...]" = ()
    kind: str = ""


@dataclass(frozen=True)
class Document:
    """The whole report."""

    title: str
    force: str
    authors: tuple[str, ...]
    facts: tuple[tuple[str, Spans], ...]
    stamp: str
    cut_off: date
    sections: tuple[Section, ...]


def walk(section: Section) -> Iterator[Section]:
    """Every section of the tree, parents first."""
    yield section
    for child in section.sections:
        yield from walk(child)


def blocks_of(document: Document) -> Iterator[Block]:
    """Every block of the report in reading order, folded ones and figures' tables included."""
    for top in document.sections:
        for section in walk(top):
            for block in section.blocks:
                yield from _inside(block)


def _inside(block: Block) -> Iterator[Block]:
    yield block
    if isinstance(block, Folded):
        for inner in block.blocks:
            yield from _inside(inner)
    if isinstance(block, Figure) and block.data is not None:
        yield block.data


def figures_of(document: Document) -> list[Figure]:
    """Every figure of the report in reading order."""
    return [block for block in blocks_of(document) if isinstance(block, Figure)]


def on_paper(document: Document) -> Document:
    """
    Turn what is read on a screen into what is printed.

    Invitations go, folded blocks open or stay in the page, and tables of provenance keep the
    findings that the printed pages speak of.

    Parameters
    ----------
    document : Document
        The report.

    Returns
    -------
    Document
        The same sections with flat blocks.
    """
    flat = replace(document, sections=tuple(_flat(section) for section in document.sections))
    cited = {span.finding_id for span in _cited(flat)}
    kept = tuple(_kept(section, cited) for section in flat.sections)
    return replace(flat, sections=kept)


def _flat(section: Section) -> Section:
    blocks = tuple(made for block in section.blocks for made in _printed(block))
    return replace(section, blocks=blocks, sections=tuple(map(_flat, section.sections)))


def _printed(block: Block) -> "tuple[Block, ...]":
    match block:
        case Invitation() | Folded(printed=False):
            return ()
        case Folded(blocks=blocks):
            return tuple(made for inner in blocks for made in _printed(inner))
        case Figure(data=Table() as data) if block.printed_data:
            return (replace(block, data=None), data)
        case Figure():
            return (replace(block, data=None),)
        case _:
            return (block,)


def _cited(document: Document) -> Iterator[Number]:
    for block in blocks_of(document):
        if not (isinstance(block, Table) and block.anchors):
            yield from (span for span in _spans(block) if isinstance(span, Number))


def _kept(section: Section, cited: set[str]) -> Section:
    blocks = tuple(
        made
        for block in section.blocks
        for made in (_only_cited(block, cited),)
        if made is not None
    )
    return replace(
        section, blocks=blocks, sections=tuple(_kept(s, cited) for s in section.sections)
    )


def _only_cited(block: Block, cited: set[str]) -> Block | None:
    if not (isinstance(block, Table) and block.anchors):
        return block
    chosen = [
        index for index, anchor in enumerate(block.anchors) if anchor.removeprefix("f-") in cited
    ]
    if not chosen:
        return None
    return replace(
        block,
        rows=tuple(block.rows[index] for index in chosen),
        anchors=tuple(block.anchors[index] for index in chosen),
        groups=_groups_of(block.groups, chosen),
    )


def _groups_of(
    groups: tuple[tuple[int, Spans], ...], chosen: list[int]
) -> tuple[tuple[int, Spans], ...]:
    """The groups that still have a row, at the rows' new places."""
    ends = [start for start, _ in groups[1:]] + [chosen[-1] + 1]
    found = []
    for (start, words), end in zip(groups, ends, strict=False):
        at = bisect_left(chosen, start)
        if at < len(chosen) and chosen[at] < end:
            found.append((at, words))
    return tuple(found)


def spans_of(document: Document) -> Iterator[Span]:
    """Every span of the report: what a scan for loose numbers reads."""
    for _, value in document.facts:
        yield from value
    for top in document.sections:
        for section in walk(top):
            yield from section.title
    for block in blocks_of(document):
        yield from _spans(block)


def _spans(block: Block) -> Iterator[Span]:
    match block:
        case Paragraph(spans=spans) | Heading(spans=spans) | Invitation(spans=spans):
            yield from spans
        case Bullets(items=items):
            for item in items:
                yield from item
        case Table():
            yield from ((Name if block.named_head else Text)(words) for words in block.head)
            for _, words in block.groups:
                yield from words
            for row in block.rows:
                for cell in row:
                    yield from cell
            yield from block.note
        case Figure():
            yield Text(block.alt)
            yield from block.note
        case Folded():
            yield Text(block.summary)
