"""How the report shows what a headline hangs on: other sets, single places, placebos."""

import json

import pytest

from placeproof.answers import from_estimates, release
from placeproof.report import build
from placeproof.report.document import (
    Document,
    Figure,
    Name,
    Number,
    Paragraph,
    Text,
    _spans,
    walk,
)
from placeproof.tables.estimate import rows
from tests.report import invented

SERIOUS = ("sv-street-nondom", "Serious violence in public places, not domestic")
PLAIN = {"lower": None, "upper": None, "level": None, "standard_error": None,
         "minimum_detectable_effect": None, "p_value": None}  # fmt: skip


def row(ratio: float, estimand: str, **more: object) -> dict:
    base = {"role": "robustness", "estimand": estimand, "method": "poisson_imputation", **PLAIN}
    return {**invented.effect("RQ1", *SERIOUS, ratio), **base, **more}


def forged() -> list[dict]:
    made = [row(0.8 + k / 100, "matched_set_rate_ratio", horizon=f"tessellated={k}")
            for k in range(1, 6)]  # fmt: skip
    made += [row(0.9 + k / 100, "matched_set_rate_ratio", horizon=f"translated={k}")
             for k in range(1, 6)]  # fmt: skip
    made += [
        row(0.87, "median_rate_ratio", horizon=horizon, n=10)
        for horizon in ("all", "tessellated", "translated")
    ]
    made += [row(0.7 + q / 200, "quantile_rate_ratio", horizon=f"quantile={q}") for q in (5, 95)]
    made += [
        row(value, f"share_of_sets_{name}", unit="share")
        for name, value in (("below_the_headline", 0.3), ("on_the_headlines_side", 0.9))
    ]
    made += [row(0.84, "one_left_out_rate_ratio", horizon="hotspot=H01"),
             row(0.60, "one_left_out_rate_ratio", horizon="comparison=C1")]  # fmt: skip
    made += [row(1.0 + k / 10, "placebo_in_space_rate_ratio", horizon=f"tessellated={k}",
                 role="placebo") for k in range(1, 4)]  # fmt: skip
    made.append(row(1.2, "placebo_in_space_rate_ratio", role="placebo", p_value=0.25))
    for steps in (26, 13):
        made.append(row(0.97, "placebo_in_time_rate_ratio", horizon=f"week=-{steps}",
                        role="placebo", lower=0.9, upper=1.05, level=0.95))  # fmt: skip
    return made


def differences() -> list[dict]:
    return [
        {**invented.level("places", name, label, value, "standard deviations"),
         "estimand": "standardised_difference", "horizon": horizon, "lower": None, "upper": None,
         "status": "estimated", "n_events": 900.0}
        for name, label, value in (("history_level", "Events per period", 0.6),
                                   ("feature:deprivation", "deprivation", -0.1))
        for horizon in ("before matching", "after matching", "average over the sets")
    ]  # fmt: skip


def paths() -> list[dict]:
    return [
        {**invented.level("places", SERIOUS[0], SERIOUS[1], 2.0 + k, "events per place and week"),
         "estimand": "events_per_place", "horizon": f"2020-0{k}", "population": population,
         "lower": None, "upper": None}
        for population in ("treated hot spots", "comparison places")
        for k in range(1, 5)
    ]  # fmt: skip


def document(more: list[dict]) -> Document:
    base = invented._crime() + invented._survey() + invented._rest()
    base = [one for one in base if one["estimand"] != "standardised_difference"]
    found = release(from_estimates(rows(base + more), inputs=invented.INPUTS))
    return build.document(invented.contents(findings=found))


def blocks(made: Document) -> list:
    return [block for top in made.sections for part in walk(top) for block in part.blocks]


def figure(made: Document, identity: str) -> Figure | None:
    found = [b for b in blocks(made) if isinstance(b, Figure) and b.identity == identity]
    return found[0] if found else None


def said(made: Document, start: str) -> str | None:
    for block in blocks(made):
        if isinstance(block, Paragraph) and block.spans:
            words = "".join(
                span.words for span in block.spans if isinstance(span, Text | Name | Number)
            )
            if words.startswith(start):
                return words
    return None


def test_a_headline_is_drawn_among_its_sets_places_and_placebos() -> None:
    drawn = figure(document(forged()), "RQ1-sets-0")
    assert drawn is not None
    assert drawn.spec is not None
    values = drawn.spec["data"]["values"]  # type: ignore[index]
    lines = [point["words"] for point in values if "words" in point]
    assert lines == [
        "Headline",
        "Under other sets: tiles of shifted grids",
        "Under other sets: the hot spots' own outlines, moved",
        "Without one hot spot at a time",
        "Without one comparison place at a time",
        "Placebo: places that never had patrols",
        "Placebo: patrols pretended to begin 13 weeks earlier",
        "Placebo: patrols pretended to begin 26 weeks earlier",
    ]
    # One estimate alone is a dot, many are strokes.
    assert len([point for point in values if "stroke" in point]) == 5 + 5 + 3
    dots = [point["estimate"] for point in values if point.get("single")]
    assert min(dots) == pytest.approx(-40)
    assert drawn.data is not None


def test_the_paragraph_says_where_the_headline_lies() -> None:
    words = said(document(forged()), "Compared with what?")
    assert words is not None
    for part in ("10 other sets", "nine sets in ten lie between", "30", "90", "p 0.25",
                 "the comparison place C1"):  # fmt: skip
        assert part in words, part


def test_without_sets_nothing_is_said_and_a_refusal_gives_its_reason() -> None:
    assert said(document([]), "Compared with what?") is None
    assert figure(document([]), "RQ1-sets-0") is None
    refused = row(1.0, "median_rate_ratio") | {
        "estimate": None, "status": "not_identified", "reason": "There is no room for others.",
    }  # fmt: skip
    words = said(document([refused]), "No other comparison places:")
    assert words is not None
    assert words.endswith("There is no room for others.")


def test_balance_and_months_before_are_drawn_with_their_tables() -> None:
    made = document(differences() + paths())
    balance = figure(made, "balance")
    assert balance is not None
    assert balance.data is not None
    assert [len(line) for line in balance.data.rows] == [4, 4]
    stages = {p["stage"] for p in balance.spec["data"]["values"] if "stage" in p}  # type: ignore[index]
    assert stages == {"before matching", "after matching", "average over the sets"}
    drawn = figure(made, "paths")
    assert drawn is not None
    assert "Events per place and week" in json.dumps(drawn.spec)
    assert figure(document(paths()[:4]), "paths") is None


def test_every_number_of_the_paragraph_leads_to_a_finding() -> None:
    for block in blocks(document(forged())):
        if (
            isinstance(block, Paragraph)
            and block.spans
            and block.spans[0] == Text("Compared with what? ", strong=True)
        ):
            numbers = [span for span in _spans(block) if isinstance(span, Number)]
            assert len(numbers) >= 8
            assert all(span.finding_id for span in numbers)
