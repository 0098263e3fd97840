"""How the report shows other estimators beside the headline."""

import json

from placeproof.report.document import Document, Figure, Number, Paragraph, walk
from tests.report import invented
from tests.report.test_report_edited import MACHINE, words
from tests.report.test_report_otherwise import SERIOUS, document, said, table

ROLE = {"role": "robustness"}


def others(*, honest: str = "seen") -> list[dict]:
    told = json.dumps({"comparison_of_cohorts": "not_yet"})
    made = [
        invented.effect("RQ1", *SERIOUS, 0.9, **ROLE, method="callaway_santanna", diagnostics=told),
        invented.effect("RQ1", *SERIOUS, 0.9, **ROLE, method="synthetic_did"),
        {**invented.effect("RQ1", *SERIOUS, 1.0, **ROLE, method="bounded_calibration"),
         "status": "not_identified", "estimate": None, "reason": "Nobody is like them."},
        {**invented.effect("RQ1", *SERIOUS, -1.5, **ROLE, method="callaway_santanna"),
         "estimand": "events_changed_per_step", "unit": "events a place in 13 weeks",
         "lower": -3.0, "upper": -0.1},
        invented.effect("RQ1", *SERIOUS, 0.86, **ROLE, horizon="without=after-exit"),
    ]  # fmt: skip
    if honest == "absent":
        row = invented.effect("RQ1", *SERIOUS, 1.0, **ROLE, method="honest_did")
        reason = "HonestDiD is not installed."
        return [*made, {**row, "status": "not_supplied", "estimate": None, "reason": reason}]
    seen = honest == "seen"
    told = json.dumps({"steps_since_the_start": [-2, 0, 1], "seen_without_departure": seen})
    for method, name in (("honest_relative_magnitudes", "relative_magnitudes"),
                         ("honest_smoothness", "smoothness")):  # fmt: skip
        more = {**ROLE, "method": method, "diagnostics": told}
        made.append(invented.effect("RQ1", *SERIOUS, 0.8, **more, horizon=f"{name}=0"))
        row = invented.effect("RQ1", *SERIOUS, 0.5 if seen else 0.0, **more)
        ends = {"lower": None, "upper": None, "level": None, "unit": "log points a step"}
        made.append({**row, **ends, "estimand": "breakdown_value"})
    return made


def blocks(made: Document) -> list:
    section = next(each for top in made.sections for each in walk(top) if each.identity == "RQ1")
    return list(section.blocks)


def honest_words(made: Document) -> str:
    return next(
        said(block.spans)
        for block in blocks(made)
        if isinstance(block, Paragraph) and "HonestDiD" in said(block.spans)
    )


def test_each_estimator_stands_with_what_it_takes_for_granted() -> None:
    made = table(document(others()), "RQ1-others-0-table")
    assert made is not None
    names = [said(row[0]) for row in made.rows]
    assert names == ["Headline", "Two-way Poisson regression",
                     "Callaway and Sant'Anna",
                     "Synthetic difference-in-differences", "Bounded calibration",
                     "Headline, censored at exit"]  # fmt: skip
    assert said(made.rows[2][1]).startswith("−10")
    assert "also in places patrolled later" in said(made.rows[2][2])
    assert said(made.rows[4][1]) == "not identified"
    assert "Bounded calibration: Nobody is like them." in said(made.note)
    for row in made.rows:
        assert all(isinstance(s, Number) or not any(c.isdigit() for c in s.words) for s in row[1])
    assert not MACHINE.search(" ".join(words(made)))


def test_the_headline_differs_by_shape_and_no_estimate_is_missing_from_the_figure() -> None:
    figure = next(
        b for b in blocks(document(others())) if getattr(b, "identity", "") == "RQ1-others-0"
    )
    assert isinstance(figure, Figure)
    assert figure.spec is not None
    points = figure.spec["data"]["values"]  # type: ignore[index]
    assert [point["part"] for point in points] == ["headline"] + ["other estimator"] * 4
    dot = next(la for la in figure.spec["layer"] if "shape" in la.get("encoding", {}))  # type: ignore[attr-defined]
    assert dot["encoding"]["shape"]["scale"]["range"] == ["diamond", "circle"]
    assert figure.data is not None
    assert any("events more or fewer" in said(row[0]).lower() for row in figure.data.rows)


def test_the_departure_of_trends_is_told_in_words() -> None:
    told = honest_words(document(others()))
    assert "An effect is still seen where trends part after the start at most  0.50" in told
    assert "first 2 steps" in told
    assert "does not rule" not in told
    none = honest_words(document(others(honest="unseen")))
    assert "already without a departure no effect is not ruled out" in none
    absent = honest_words(document(others(honest="absent")))
    assert "Not bounded: HonestDiD is not installed." in absent


def test_without_other_estimators_nothing_is_shown() -> None:
    assert table(document([]), "RQ1-others-0-table") is None
