"""How the report shows what the recovery certificate says."""

import json

import pytest

from placeproof.answers import from_estimates
from placeproof.report import build, certificate
from placeproof.report.document import Number, Paragraph, Table
from placeproof.report.material import Material
from placeproof.tables.estimate import rows
from tests.report import invented
from tests.report.test_report_edited import words

NAME = ("sv-street-nondom", "Serious violence in public places, not domestic")
IMPUTATION = "poisson_imputation_jackknife"
WDD = "weighted_displacement_difference_quasi_poisson"


def told(method: str, verdict: str, reason: str | None, *, made: bool = True) -> dict:
    base = {"estimand": "recovery_certificate", "method": method, "reason": reason,
            "population": "simulated studies like this one",
            "diagnostics": json.dumps({"verdict": verdict})}  # fmt: skip
    row = invented.level("data", *NAME, 1000.0, "studies", **base)
    return row if made else row | {"status": "not_supplied", "estimate": None}


def figure(method: str, estimand: str, ratio: str, value: float) -> dict:
    return invented.level(
        "data", *NAME, value, "log ratio" if "bias" in estimand else "share", estimand=estimand,
        method=method, horizon=f"rate_ratio={ratio}", population="simulated studies like this one",
    )  # fmt: skip


def material(*more: dict) -> Material:
    headline = invented.effect("RQ1", *NAME, 0.85, role="headline")
    found = from_estimates(rows([headline, *more]), inputs=invented.INPUTS)
    return Material(invented.contents(findings=found))


CERTIFIED = [
    told(IMPUTATION, "certified", None),
    told(WDD, "barred", "Its interval holds the truth too seldom."),
    *(figure(IMPUTATION, "simulated_coverage", *each) for each in (("1", 0.95), ("0.85", 0.94))),
    *(figure(IMPUTATION, "simulated_found", *each) for each in (("1", 0.05), ("0.85", 0.81))),
    figure(IMPUTATION, "simulated_bias", "1", 0.004),
    {**invented.level("data", *NAME, 0.87, "ratio"),
     "estimand": "simulated_detectable_rate_ratio", "method": IMPUTATION, "horizon": "fall",
     "population": "simulated studies like this one"},
]  # fmt: skip


def shown(*more: dict) -> tuple[list[Table], str]:
    made = certificate.section(material(*more))
    assert made is not None
    tables = [block for block in made.blocks if isinstance(block, Table)]
    return tables, " ".join(said for block in made.blocks for said in words(block))


def test_estimators_stand_with_verdict_and_figures_no_effect_first() -> None:
    (table,), said = shown(*CERTIFIED)
    first, second = table.rows
    assert [cell[0].words for cell in (first[1], second[1])] == [
        "certified", "barred",
    ]  # fmt: skip
    assert [span.words for span in first[2] if isinstance(span, Number)] == [
        "95\u202f%", "94\u202f%",
    ]  # fmt: skip
    assert [span.words for span in first[3] if isinstance(span, Number)] == [
        "5\u202f%", "81\u202f%",
    ]  # fmt: skip
    assert second[2] == ()
    assert "1, 0.85" in " ".join(span.words for span in table.note if hasattr(span, "words"))
    assert "Its interval holds the truth too seldom." in said


def test_without_a_certificate_the_report_says_so_once() -> None:
    tables, said = shown(told(IMPUTATION, "not_certified", "Not certified: none.", made=False))
    assert tables == []
    assert said.count("Not certified: none.") == 1
    assert certificate.section(material()) is None


def test_the_simulated_smallest_change_stands_beside_the_headline() -> None:
    made = material(*CERTIFIED)
    row = next(row for row in made.rows if row["role"] == "headline")
    spans = certificate.smallest(made, row)
    assert [span.words for span in spans if isinstance(span, Number)] == ["13\u202f%"]
    assert certificate.smallest(made, {**row, "method": WDD}) == ()
    document = build.document(made.contents)
    texts = [
        said
        for section in document.sections
        for block in section.blocks
        if isinstance(block, Table) and block.identity == "headline-numbers"
        for said in words(block)
    ]
    assert any("in simulations" in said for said in texts)


@pytest.mark.parametrize("kind", [Table, Paragraph])
def test_it_stands_among_the_methods(kind: type) -> None:
    document = build.document(material(*CERTIFIED).contents)
    methods = next(section for section in document.sections if section.identity == "methods")
    made = next(each for each in methods.sections if each.identity == "certificate")
    assert any(isinstance(block, kind) for block in made.blocks)
