"""The report is edited for readers: their words, charts that do not mix, limits on size."""

import re
from collections.abc import Iterator, Mapping

import polars as pl
import pytest

from placeproof.report import build, figures, html
from placeproof.report.document import (
    Authored,
    Block,
    Document,
    Figure,
    Folded,
    Name,
    Number,
    Section,
    Span,
    Table,
    Text,
    _spans,
    blocks_of,
    figures_of,
    on_paper,
    walk,
)
from placeproof.report.material import short_stamp
from tests.answers.builder import answers, effect, findings, trend
from tests.report import invented

MACHINE = re.compile(
    r"_|\bhotspots?\b|\b(lorenz|gini|jackknife|linearised|imputation|estimand)\b"
    r"|nte[-:]|\bother:\w|(hotspot|month|quarter|top|site|age_band|without)=|, (count|share|mean)\b"
    r"|along its horizon",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def document() -> Document:
    return build.document(invented.contents())


def _inside(block: Block) -> Iterator[Block]:
    yield block
    for each in block.blocks if isinstance(block, Folded) else ():
        yield from _inside(each)
    if isinstance(block, Figure) and block.data is not None:
        yield block.data


def body(document: Document) -> list[Block]:
    tops = [top for top in document.sections if top.identity != "annexes"]
    sections: list[Section] = [each for top in tops for each in walk(top)]
    return [each for section in sections for block in section.blocks for each in _inside(block)]


def words(block: Block) -> Iterator[str]:
    for span in _spans(block):
        if isinstance(span, Text) or (isinstance(span, Name) and not span.code):
            yield span.words
    if isinstance(block, Table):
        yield from (block.caption, *block.head)
    if isinstance(block, Figure):
        yield from (block.title, block.alt)


def strings(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, str):
        yield value


def drawn(spec: Mapping[str, object]) -> list[dict[str, object]]:
    return list(spec["data"]["values"])  # type: ignore[index]


def test_no_label_of_the_body_is_a_word_of_the_machine(document: Document) -> None:
    found = [
        said
        for block in body(document)
        if getattr(block, "identity", "") != "warnings"
        for said in words(block)
        if MACHINE.search(said)
    ]
    assert not found


def test_no_label_of_a_chart_is_a_word_of_the_machine(document: Document) -> None:
    for figure in figures_of(document):
        if figure.spec is None:
            continue
        for point in drawn(figure.spec):
            for name in ("label", "item", "group", "series", "place", "figure"):
                assert not MACHINE.search(str(point.get(name, "")))


def test_an_interval_beyond_the_figure_is_cut_and_gets_an_arrow() -> None:
    made = findings(
        [effect(0.9), effect(3.0, lower=0.05, upper=40.0, role="beside", outcome="o2",
                             outcome_label="Another")]
    )  # fmt: skip
    rows = list(made.sort("outcome_label").iter_rows(named=True))
    spec = figures.intervals([(row["outcome_label"], row) for row in rows], axis="Change")
    wide = next(point for point in drawn(spec) if point["label"] == "Another")
    assert (wide["lower"], wide["upper"]) == figures.CHANGES
    assert (wide["below"], wide["above"]) == figures.CHANGES
    assert wide["estimate"] is None
    assert "over 1" not in str(wide["estimate"])
    assert "triangle-right" in set(strings(spec))
    narrow = next(point for point in drawn(spec) if point["label"] != "Another")
    assert narrow["below"] is None
    assert narrow["above"] is None


def test_no_figure_of_changes_runs_beyond_its_limits(document: Document) -> None:
    low, high = figures.CHANGES
    for figure in figures_of(document):
        if figure.spec is None or not any("below" in point for point in drawn(figure.spec)):
            continue
        for point in drawn(figure.spec):
            values = [point[name] for name in ("estimate", "lower", "upper")]
            assert all(low <= value <= high for value in values if value is not None)


def numbers(table: Table) -> set[str]:
    spans: list[Span] = [span for row in table.rows for cell in row for span in cell]
    return {span.finding_id for span in spans if isinstance(span, Number)}


def test_no_chart_mixes_series(document: Document) -> None:
    """Hours and methods never mix in one chart; lines join only points of one series."""
    rows = {row["finding_id"]: row for row in invented.findings().iter_rows(named=True)}
    for figure in figures_of(document):
        if figure.spec is None or figure.data is None or figure.identity == "calendar":
            continue  # the calendar draws days of the registers and no finding
        behind = [rows[each] for each in numbers(figure.data)]
        assert behind
        assert len({row["hours"] for row in behind}) == 1, figure.identity
        assert len({row["unit"] for row in behind}) == 1, figure.identity
        if "-minutes-" not in figure.identity:
            assert len({row["method"] for row in behind}) == 1, figure.identity
        points = drawn(figure.spec)
        if any("month" in point for point in points):
            keys = [(point["series"], point["month"]) for point in points]
            assert len(keys) == len(set(keys)), figure.identity
        if "-course-" in figure.identity:
            assert len({row["population"] for row in behind}) == 1
            assert len({row["outcome"] for row in behind}) == 1
            assert "line" not in set(strings(figure.spec["layer"]))


def test_a_month_that_is_missing_is_a_gap_and_never_a_nought() -> None:
    from placeproof.report import charts

    rows = [
        row
        for row in invented.findings().iter_rows(named=True)
        if row["outcome"] == "ed-assault" and row["horizon"] in ("2020-01", "2020-02", "2020-05")
    ]
    points = drawn(charts.monthly([("Assaults", rows)], axis="Attendances", kind=""))
    assert [point["value"] is None for point in points] == [False, False, True, True, False]


def test_a_trend_too_short_to_adjust_for_is_said_and_not_printed() -> None:
    wide = effect(383.0, lower=0.03, upper=4e6, role="beside",
                  method="poisson_imputation_trend_adjusted", n=77123)  # fmt: skip
    found = findings([effect(0.8), wide, trend()])
    made = build.document(invented.contents(findings=found, answers=answers(found)))
    identity = found.filter(pl.col("n") == 77123)["finding_id"][0]
    paper = [
        span
        for block in body(made)
        for span in _spans(block)
        if isinstance(span, Number) and span.finding_id == identity
    ]
    assert not paper
    said = " ".join(said for block in body(made) for said in words(block))
    assert "trend before patrols is too short to adjust for" in said


def test_a_shock_beside_the_start_is_said_where_effects_are_printed() -> None:
    from placeproof.definitions import shocks

    made = build.document(invented.contents(shocks=shocks()))
    for key in ("RQ1", "RQ2", "RQ3"):
        section = next(each for top in made.sections for each in walk(top) if each.identity == key)
        said = " ".join(said for block in section.blocks for said in words(block))
        assert "Places reopened on" in said
        assert "measures reopening" in said
    limits = next(each for each in made.sections if each.identity == "limitations")
    assert any("measures reopening" in said for b in limits.blocks for said in words(b))


def test_the_stamp_is_long_at_the_head_and_short_at_captions() -> None:
    study = invented.contents().study
    assert short_stamp("Exploratory: the plan was not locked before outcomes were seen.") == (
        "exploratory"
    )
    assert short_stamp("") == ""
    assert study.exploratory


def test_before_against_after_stands_in_the_annex_alone(document: Document) -> None:
    rows = {row["finding_id"]: row for row in invented.findings().iter_rows(named=True)}
    shown = {
        span.finding_id
        for block in body(document)
        for span in _spans(block)
        if isinstance(span, Number)
    }
    assert not [each for each in shown if rows[each]["method"] == "before_after"]
    everywhere = {
        span.finding_id
        for block in blocks_of(on_paper(document))
        for span in _spans(block)
        if isinstance(span, Number)
    }
    assert [each for each in everywhere if rows[each]["method"] == "before_after"]


def many(count: int) -> pl.DataFrame:
    """Many contrasts, as a large survey makes them."""
    from placeproof.answers import from_estimates
    from placeproof.tables.estimate import rows

    made = [
        invented.level(
            "RQ8", f"item-{index // 60}", f"A statement of the questionnaire, number {index // 60}",
            0.1, "share", estimand="difference_in_shares", population="residents, in person",
            subgroup=f"group={index % 60}", lower=0.01, upper=0.2, level=0.95,
            reason="An association among people who answered at one time, and nothing more than it",
        )
        for index in range(count)
    ]  # fmt: skip
    return from_estimates(rows(made), inputs=invented.INPUTS)


def test_size_stays_within_limits_by_structure() -> None:
    found = many(3000)
    given = invented.contents(findings=found, answers=answers(found), texts={})
    made = build.document(given)
    text = html.page(made, drawings={}, interactive=False)
    few = many(60)
    base = html.page(
        build.document(invented.contents(findings=few, answers=answers(few), texts={})),
        drawings={},
        interactive=False,
    )
    assert (len(text) - len(base)) / (3000 - 60) < 300
    assert text.count("An association among people who answered") <= 3000 // 60 + 1
    assert len(set(re.findall(r'<tr id="f-', text))) == 1
    assert text.count('<tr id="f-') == 3000
    paper = [block for block in blocks_of(on_paper(made)) if isinstance(block, Table)]
    assert sum(len(block.rows) for block in paper) < 200


def test_groups_keep_their_rows_on_paper(document: Document) -> None:
    for block in blocks_of(on_paper(document)):
        if isinstance(block, Table) and block.groups:
            starts = [start for start, _ in block.groups]
            assert starts == sorted(set(starts))
            assert starts[0] == 0
            assert starts[-1] < len(block.rows)


def test_authored_words_are_left_as_they_are(document: Document) -> None:
    assert any(isinstance(span, Authored) for block in body(document) for span in _spans(block))
