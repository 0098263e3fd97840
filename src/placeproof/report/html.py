"""The report as one page that needs nothing but itself."""

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from html import escape
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
    Folded,
    Heading,
    Invitation,
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
    figures_of,
    on_paper,
)
from placeproof.report.numbers import WORDS_FOR_STATUS


def page(document: Document, *, drawings: Mapping[str, str], interactive: bool = True) -> str:
    """
    Render the document as a self-contained page.

    Parameters
    ----------
    document : Document
        The report.
    drawings : mapping
        The SVG of each figure by its identity.
    interactive : bool
        Whether charts answer to a pointer; without, the page holds no script at all.

    Returns
    -------
    str
        HTML that makes no request to anywhere, ever; its own content policy forbids it.
    """
    charts = interactive and any(f.spec for f in figures_of(document))
    scripts = [_vega(), _asset("page.js")] if charts else []
    allowed = " ".join(_hashed(script) for script in scripts) or "'none'"
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        f"form-action 'none'; script-src {allowed}"
    )
    writer = _Writer(drawings, charts, document.stamp)
    body = "".join(writer.section(section, 2) for section in document.sections)
    title = escape(document.title)
    stamp = f'<p class="stamp">{escape(document.stamp)}</p>' if document.stamp else ""
    return (
        '<!doctype html>\n<html lang="en-GB"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{style.css()}</style></head><body>"
        '<a class="skip" href="#summary">Skip to the summary</a>'
        f'<header class="frame"><div class="cover"><p class="force" dir="auto">'
        f'{escape(document.force)}</p><h1 dir="auto">{title}</h1>{stamp}{_facts(document)}'
        "</div></header>"
        f'<div class="frame columns">{_contents(document)}<main>{body}</main></div>'
        f'<footer class="frame"><p>{_footer(document)}</p></footer>'
        + "".join(f"<script>{script}</script>" for script in scripts)
        + "</body></html>\n"
    )


def article(document: Document, *, images: Mapping[str, str]) -> str:
    """
    Render the document as plain HTML with pixel images, for the converter to Word.

    Parameters
    ----------
    document : Document
        The report.
    images : mapping
        The file name of each figure's PNG by its identity.

    Returns
    -------
    str
        HTML without style or script.
    """
    document = on_paper(document)
    writer = _PlainWriter(images, document.stamp)
    body = "".join(writer.section(section, 1) for section in document.sections)
    facts = "".join(
        f"<p><strong>{escape(words)}:</strong> {writer.spans(value)}</p>"
        for words, value in document.facts
    )
    stamp = f"<p><strong>{escape(document.stamp)}</strong></p>" if document.stamp else ""
    head = f"<p>{escape(document.force)}</p>{stamp}{facts}"
    return f'<html lang="en-GB"><body>{head}{body}</body></html>'


class _Writer:
    def __init__(self, drawings: Mapping[str, str], charts: bool, stamp: str) -> None:
        self.drawings, self.charts, self.stamp = drawings, charts, stamp

    def section(self, section: Section, level: int) -> str:
        inner = "".join(self.block(block, level + 1) for block in section.blocks)
        inner += "".join(self.section(child, level + 1) for child in section.sections)
        title = f'<h{level} dir="auto">{self.spans(section.title)}</h{level}>'
        identity = escape(section.identity)
        return f'<section id="{identity}" class="{section.kind}">{title}{inner}</section>'

    def block(self, block: Block, level: int) -> str:
        match block:
            case Paragraph(spans=spans, style=look):
                kind = f' class="{look}"' if look else ""
                return f'<p dir="auto"{kind}>{self.spans(spans)}</p>'
            case Bullets(items=items, ordered=ordered):
                tag = "ol" if ordered else "ul"
                points = "".join(f'<li dir="auto">{self.spans(item)}</li>' for item in items)
                return f"<{tag}>{points}</{tag}>"
            case Heading(spans=spans):
                return f'<h{level} dir="auto">{self.spans(spans)}</h{level}>'
            case Table():
                return self.table(block)
            case Figure():
                return self.figure(block)
            case Invitation(spans=spans):
                return f'<p class="invite">{self.spans(spans)}</p>'
            case Folded(summary=summary, blocks=blocks):
                inner = "".join(self.block(each, level) for each in blocks)
                return (
                    f'<details class="fold"><summary>{escape(summary)}</summary>{inner}</details>'
                )

    def spans(self, spans: Spans) -> str:
        return "".join(self.span(span) for span in spans)

    def span(self, span: Span) -> str:
        match span:
            case Number(words=words, finding_id=identity):
                look = "n none" if words in WORDS_FOR_STATUS.values() else "n"
                return f'<a class="{look}" href="#f-{escape(identity)}">{escape(words)}</a>'
            case Recorded(words=words):
                return escape(words)
            case Reference(words=words, anchor=anchor):
                return f'<a href="#{escape(anchor)}">{escape(words)}</a>'
            case Day(day=day):
                return f'<time datetime="{day.isoformat()}">{day.day} {day:%B %Y}</time>'
            case Text(words=words, strong=strong):
                return f"<strong>{escape(words)}</strong>" if strong else escape(words)
            case Name(words=words, strong=strong, code=code):
                inner = escape(words) if code or _one_way(words) else f"<bdi>{escape(words)}</bdi>"
                inner = f'<code translate="no">{inner}</code>' if code else inner
                return f"<strong>{inner}</strong>" if strong else inner
            case Authored():
                return _authored(span)

    def table(self, table: Table) -> str:
        look = "tablebox answers" if table.identity == "answers" else "tablebox"
        tag = f' <span class="tag">({escape(table.stamp)})</span>' if table.stamp else ""
        identity = escape(table.identity)
        caption = f'<p class="caption" id="{identity}-caption">{escape(table.caption)}{tag}</p>'
        head = "".join(
            f'<th scope="col"{_numeric(table, index)}>{escape(words)}</th>'
            for index, words in enumerate(table.head)
        )
        rows = self.rows(table)
        note = f'<p class="note">{self.spans(table.note)}</p>' if table.note else ""
        named = f'aria-labelledby="{identity}-caption"'
        return (
            f'<div class="{look}" id="{identity}">{caption}<div class="wide" role="region" {named} '
            f'tabindex="0"><table {named}><thead><tr>{head}</tr></thead>'
            f"<tbody>{rows}</tbody></table></div>{note}</div>"
        )

    def rows(self, table: Table) -> str:
        before = dict(table.groups)
        made: list[str] = []
        for index, row in enumerate(table.rows):
            if index in before:
                words = self.spans(before[index])
                made.append(f'<tr class="g"><th scope="colgroup" colspan="{len(table.head)}">')
                made.append(f"{words}</th></tr>")
            made.append(self.row(table, index, row))
        return "".join(made)

    def row(self, table: Table, index: int, row: tuple[Spans, ...]) -> str:
        anchor = f' id="{escape(table.anchors[index])}"' if table.anchors else ""
        show = self.unlinked if table.anchors else self.spans
        first = f'<th scope="row"{_way(row[0])}>{show(row[0])}</th>'
        cells = "".join(
            f"<td{_way(cell)}{_numeric(table, column)}>{show(cell)}</td>"
            for column, cell in enumerate(row[1:], 1)
        )
        return f"<tr{anchor}>{first}{cells}</tr>\n"

    def unlinked(self, spans: Spans) -> str:
        """Figures of the row that other figures link to: they are where the link would lead."""
        return "".join(
            escape(span.words) if isinstance(span, Number) else self.span(span) for span in spans
        )

    def figure(self, figure: Figure) -> str:
        drawing = self.drawings.get(figure.identity, figure.svg)
        tag = f' <span class="tag">({escape(figure.stamp)})</span>' if figure.stamp else ""
        live = ""
        if self.charts and figure.spec is not None:
            spec = json.dumps(figure.spec, ensure_ascii=False, sort_keys=True).replace(
                "<", "\\u003c"
            )
            live = (
                f'<div class="chart" hidden><script type="application/json">{spec}</script></div>'
            )
        role = f'role="img" aria-label="{escape(figure.alt)}"'
        data = ""
        if figure.data is not None:
            table = self.table(figure.data)
            data = f"<details><summary>The figures behind it</summary>{table}</details>"
        caption = f"<figcaption>{escape(figure.title)}{tag}</figcaption>"
        note = f'<p class="note">{self.spans(figure.note)}</p>' if figure.note else ""
        return (
            f'<figure id="{escape(figure.identity)}">{caption}'
            f'<div class="static" {role}>{drawing}</div>{live}{note}{data}</figure>'
        )


class _PlainWriter(_Writer):
    """The same without what only a browser knows."""

    def __init__(self, images: Mapping[str, str], stamp: str) -> None:
        super().__init__({}, False, stamp)
        self.images = images

    def section(self, section: Section, level: int) -> str:
        inner = "".join(self.block(block, level + 1) for block in section.blocks)
        inner += "".join(self.section(child, level + 1) for child in section.sections)
        title = self.spans(section.title)
        return f'<h{level} id="{escape(section.identity)}">{title}</h{level}>{inner}'

    def span(self, span: Span) -> str:
        match span:
            case Reference(words=words):
                return escape(words)
            case Day(day=day):
                return f"{day.day} {day:%B %Y}"
            case Name(words=words, strong=strong, code=code):
                inner = f"<code>{escape(words)}</code>" if code else escape(words)
                return f"<strong>{inner}</strong>" if strong else inner
            case _:
                return super().span(span)

    def table(self, table: Table) -> str:
        stamp = f" ({table.stamp})" if table.stamp else ""
        widths = table.widths or _even(table)
        columns = "".join(f'<col style="width:{width * 100:.0f}%">' for width in widths)
        head = "".join(f"<th{_align(table, i)}>{escape(w)}</th>" for i, w in enumerate(table.head))
        rows = self.rows(table)
        return (
            f"<table><caption>{escape(table.caption)}{escape(stamp)}</caption><colgroup>{columns}"
            f"</colgroup><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )

    def row(self, table: Table, index: int, row: tuple[Spans, ...]) -> str:
        anchor = f'<span id="{escape(table.anchors[index])}"></span>' if table.anchors else ""
        cells = "".join(
            f"<td{_align(table, column)}>{anchor if column == 0 else ''}{self.spans(cell)}</td>"
            for column, cell in enumerate(row)
        )
        return f"<tr>{cells}</tr>"

    def figure(self, figure: Figure) -> str:
        source = self.images.get(figure.identity)
        if source is None:
            return ""
        alt = escape(f"{figure.title}. {figure.alt}")
        stamp = f" ({figure.stamp})" if figure.stamp else ""
        return (
            f"<p><strong>{escape(figure.title + stamp)}</strong></p>"
            f'<p><img src="{source}" alt="{alt}" style="width:16cm"></p>'
            + (f"<p>{self.spans(figure.note)}</p>" if figure.note else "")
        )


def _authored(span: Authored) -> str:
    inner = escape(span.words)
    if span.code:
        inner = f"<code>{inner}</code>"
    if span.emphasis:
        inner = f"<em>{inner}</em>"
    if span.strong:
        inner = f"<strong>{inner}</strong>"
    if span.target:
        inner = f'<a href="{escape(span.target)}" rel="noreferrer">{inner}</a>'
    return inner


def _one_way(words: str) -> bool:
    """Whether words hold no letter that could be written from right to left."""
    return all(letter < "\u0590" or "\u2000" <= letter <= "\u22ff" for letter in words)


def _way(spans: Spans) -> str:
    """A direction for cells whose words may need one; most need none."""
    return "" if all(_one_way(getattr(span, "words", "")) for span in spans) else ' dir="auto"'


def _even(table: Table) -> tuple[float, ...]:
    first = 0.34 if len(table.head) > 2 else 0.5
    rest = (1 - first) / max(len(table.head) - 1, 1)
    return (first, *(rest for _ in table.head[1:]))


def _numeric(table: Table, index: int) -> str:
    return ' class="num"' if index in table.numeric else ""


def _align(table: Table, index: int) -> str:
    return ' align="right"' if index in table.numeric else ""


def _facts(document: Document) -> str:
    writer = _Writer({}, False, "")
    entries = "".join(
        f'<div><dt>{escape(words)}</dt><dd dir="auto">{writer.spans(value)}</dd></div>'
        for words, value in document.facts
    )
    return f'<dl class="facts">{entries}</dl>'


def _contents(document: Document) -> str:
    writer = _PlainWriter({}, "")
    items = []
    for section in document.sections:
        title = writer.spans(section.title)
        children = ""
        if section.sections:
            points = "".join(
                f'<li><a href="#{escape(child.identity)}">{_short(child, writer)}</a></li>'
                for child in section.sections
            )
            children = f"<ol>{points}</ol>"
        items.append(f'<li><a href="#{escape(section.identity)}">{title}</a>{children}</li>')
    return (
        f'<nav aria-label="Contents"><details open><summary>Contents</summary><ol>{"".join(items)}'
        "</ol></details></nav>"
    )


def _short(section: Section, writer: _PlainWriter) -> str:
    words = writer.spans(section.title)
    return words if len(words) <= 60 else words[:57].rsplit(" ", 1)[0] + "…"


def _footer(document: Document) -> str:
    words = "Made with Placeproof. Every figure links to the finding it comes from."
    return f"{escape(document.stamp)}. {words}" if document.stamp else words


def _hashed(script: str) -> str:
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _asset(name: str) -> str:
    return files("placeproof.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _vega() -> str:
    import vl_convert

    make: Any = vl_convert.javascript_bundle
    return str(make()).replace("</script", "<\\/script")
