"""One document: every number comes from a finding, a day or the run's record."""

import re
from itertools import pairwise

import polars as pl

from placeproof.answers import release
from placeproof.report import build, html
from placeproof.report.document import (
    Authored,
    Name,
    Number,
    Table,
    Text,
    blocks_of,
    figures_of,
    on_paper,
    spans_of,
)
from placeproof.tables import Answer, Place
from tests.answers.builder import answers as answered
from tests.answers.builder import effect, findings
from tests.report import invented

DECLARED = r"SHA-256|\bRQ\d+\b"
"""Digits that a template may hold: the name of a hash and the names of the questions."""


def nothing() -> dict:
    """The contents of a run that read no file and found nothing."""
    empty = invented.contents().findings.clear()
    frames = dict.fromkeys(("receipts", "notices", "quarantine"), pl.DataFrame())
    return {
        "findings": empty,
        "answers": answered(empty, supplied={}),
        "places": Place.create_empty(),
        "area_wkb": None,
        "texts": {},
        "manifest": {},
        **frames,
    }


def page(**more: object) -> str:
    return html.page(build.document(invented.contents(**more)), drawings={}, interactive=False)


def test_no_template_word_holds_a_digit() -> None:
    documents = [
        build.document(invented.contents()),
        build.document(invented.contents(**nothing())),
    ]
    spans = [span for document in documents for span in spans_of(document)]
    loose = [span.words for span in spans if isinstance(span, Text)]
    bare = [re.sub(DECLARED, "", words) for words in loose]
    assert not [words for words in bare if re.search(r"\d", words)]


def test_digits_of_names_come_with_the_data() -> None:
    contents = invented.contents()
    rows = contents.findings.iter_rows(named=True)
    given = " ".join(str(value) for row in rows for value in row.values())
    given += " ".join(str(value) for row in contents.answers.iter_rows() for value in row)
    given += " ".join(
        str(value) for row in contents.places.drop("geometry").iter_rows() for value in row
    )
    for frame in (contents.receipts, contents.notices, contents.quarantine):
        given += " ".join(str(value) for row in frame.iter_rows() for value in row)
    given += str(contents.manifest) + str(contents.study) + " ".join(contents.texts.values())
    known = set(re.findall(r"\d+", given)) | {str(number) for number in range(1, 11)}
    for span in spans_of(build.document(contents)):
        if isinstance(span, Name):
            for digits in re.findall(r"\d+", span.words):
                assert any(digits in each for each in known), span.words


def test_every_number_links_to_a_provenance_entry() -> None:
    text = page()
    targets = set(re.findall(r'id="(f-[0-9a-f]+)"', text))
    links = set(re.findall(r'href="#(f-[0-9a-f]+)"', text))
    assert links
    assert links <= targets
    assert len(targets) == invented.findings().height


def test_every_anchor_stands_once_and_every_link_arrives() -> None:
    text = page()
    identities = re.findall(r' id="([^"]+)"', text)
    assert len(identities) == len(set(identities))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(identities)


def test_headings_never_skip_a_level() -> None:
    levels = [int(level) for level in re.findall(r"<h(\d)", page())]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_the_page_asks_nothing_of_anybody() -> None:
    text = html.page(build.document(invented.contents()), drawings={})
    bare = re.sub(r"<script>.*?</script>", "", text, flags=re.S)
    assert not re.search(r'(src|srcset|action|@import|url\()\s*=?\s*["\']?(https?:)?//', bare)
    assert "default-src 'none'" in text
    assert "'unsafe-eval'" not in text
    assert "ast: true" in text


def test_authors_markdown_keeps_its_place_and_cannot_run() -> None:
    nasty = (
        "Hello <img src=x onerror=alert(1)> [a](javascript:alert(1)) ![x](http://a.b/c.png) "
        "[c](foo:bar)\n\n"
        "<script>alert(1)</script>\n\n**bold** and [link](https://example.org)"
    )
    text = page(texts={"background": nasty, "RQ3": "Our own words on it."})
    assert "<script>alert" not in text
    assert "<img" not in text
    assert 'href="javascript' not in text
    assert 'href="foo' not in text
    assert 'href="https://example.org"' in text
    assert text.index('id="RQ3"') < text.index("Our own words on it.") < text.index('id="RQ4"')
    assert "text/background.md" not in text
    assert "text/aims.md" in text


def test_paper_has_no_invitation_and_only_cited_provenance() -> None:
    document = build.document(invented.contents())
    paper = on_paper(document)
    anchors = {a for b in blocks_of(paper) if isinstance(b, Table) for a in b.anchors}
    cited = {
        f"f-{span.finding_id}"
        for block in blocks_of(paper)
        if not (isinstance(block, Table) and block.anchors)
        for span in spans_of(paper)
        if isinstance(span, Number)
    }
    assert anchors <= cited
    assert len(anchors) < invented.findings().height
    assert "text/aims.md" not in html.article(document, images={})


def test_hostile_names_do_no_harm() -> None:
    name = '<script>alert("x")</script>' + "מקום " + "very-long-name" * 15
    found = findings([effect(0.8, outcome_label=name), effect(0.9, population=name, role="beside")])
    text = page(findings=found)
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


def test_nothing_at_all_still_makes_a_report() -> None:
    assert page(**nothing()).count("Not answerable") >= 10
    assert Answer.is_valid(nothing()["answers"])


def test_all_suppressed_prints_no_number_but_the_word() -> None:
    found = release(invented.findings(), people_below=10**9, counts_below=10**9)
    chosen = found.filter(pl.col("status") == "suppressed")
    text = page(findings=chosen)
    shown = re.findall(r'<a class="n[^"]*" href="#f-[^"]*">([^<]*)</a>', text)
    assert shown
    assert set(shown) == {"suppressed"}


def test_the_stamp_stands_on_every_table_of_numbers() -> None:
    document = build.document(invented.contents())
    for block in blocks_of(document):
        if isinstance(block, Table):
            numbers = [
                s for row in block.rows for cell in row for s in cell if isinstance(s, Number)
            ]
            assert not numbers or block.stamp == "exploratory", block.identity


def test_figures_speak_to_those_who_do_not_see_them() -> None:
    for figure in figures_of(build.document(invented.contents())):
        assert len(figure.alt) > 30
        assert figure.data is not None


def test_authored_words_are_marked_as_the_authors() -> None:
    spans = list(spans_of(build.document(invented.contents())))
    assert any(isinstance(span, Authored) and "July" in span.words for span in spans)
