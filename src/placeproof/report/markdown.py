"""The authors' Markdown as blocks of the report; raw HTML stays words and does nothing."""

import re

from placeproof.report.document import Authored, Block, Bullets, Heading, Paragraph, Spans

_SAFE_TARGET = re.compile(r"^(https?://|mailto:|#)", re.IGNORECASE)


def blocks(text: str) -> tuple[Block, ...]:
    """
    Read Markdown into paragraphs, lists and headings.

    Parameters
    ----------
    text : str
        The author's text. Links keep only web, mail and in-page targets; images, raw HTML and
        scripts become plain words.

    Returns
    -------
    tuple of blocks
        In the order of the text; empty for an empty text.
    """
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark", {"html": False}).disable("image").parse(text)
    found: list[Block] = []
    lists: list[tuple[bool, list[Spans]]] = []
    heading = False
    for token in tokens:
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                lists.append((token.type.startswith("ordered"), []))
            case "bullet_list_close" | "ordered_list_close":
                ordered, items = lists.pop()
                found.append(Bullets(tuple(items), ordered))
            case "heading_open":
                heading = True
            case "inline":
                spans = _spans(token.children or [])
                if lists:
                    lists[-1][1].append(spans)
                else:
                    found.append(Heading(spans) if heading else Paragraph(spans))
                heading = False
            case "fence" | "code_block":
                found.append(Paragraph((Authored(token.content.strip(), code=True),)))
    return tuple(found)


def _spans(children: list) -> Spans:
    strong = emphasis = False
    target = ""
    spans: list[Authored] = []
    for child in children:
        match child.type:
            case "strong_open" | "strong_close":
                strong = child.type.endswith("open")
            case "em_open" | "em_close":
                emphasis = child.type.endswith("open")
            case "link_open":
                href = str(child.attrGet("href") or "")
                target = href if _SAFE_TARGET.match(href) else ""
            case "link_close":
                target = ""
            case "softbreak" | "hardbreak":
                spans.append(Authored(" "))
            case _:
                words = child.content
                spans.append(Authored(words, strong, emphasis, child.type == "code_inline", target))
    return tuple(spans)
