"""The effect by group of victims: planted truth, identities, refusals, multiplicity."""

import json
import math

import numpy as np
import polars as pl
import pytest

from placeproof.effects import PlannedOutcome, first_set
from placeproof.effects.grid import grid
from placeproof.effects.groups import NOT_RECORDED, Split, by_group, together
from placeproof.panel.unrecorded import unrecorded_share
from placeproof.surveys.levels import holm
from tests.effects.panels import make_panel

PLANNED = PlannedOutcome("RQ1", "Planted", None, "headline")
STARTS: list[int | None] = [18] * 10 + [None] * 20
DESCRIBED = {
    "outcome": "planted",
    "outcome_label": "Planted",
    "definition_edition": None,
    "feeds": "crime hotspot",
}


def counts(rng: np.random.Generator, *, mean: float, ratio: float) -> np.ndarray:
    levels = mean * rng.gamma(8, 1 / 8, (len(STARTS), 1))
    season = 1 + 0.3 * np.sin(np.arange(36) / 12 * 2 * np.pi)
    expected = levels * season
    expected[:10, 18:] *= ratio
    return rng.poisson(expected).astype(float)


def split(made: dict[str, np.ndarray], variable: str = "victim_sex") -> Split:
    return Split(variable, "sex-2@1", {name: make_panel(x, STARTS) for name, x in made.items()})


def estimated(*splits: Split, least: int = 20) -> pl.DataFrame:
    return by_group(
        splits, outcome="planted", planned=PLANNED, least_events=least, nte="nte-core",
        level=0.95, adjusted=holm,
    )  # fmt: skip


def one(found: pl.DataFrame, subgroup: str, estimand: str = "rate_ratio") -> dict:
    rows = found.filter(subgroup=subgroup, estimand=estimand, role="beside").to_dicts()
    assert len(rows) == 1, rows
    return rows[0]


def test_an_effect_in_one_group_alone_is_found_there_and_the_contrast_says_so() -> None:
    rng = np.random.default_rng(7)
    made = {
        "Female": counts(rng, mean=12, ratio=0.6),
        "Male": counts(rng, mean=12, ratio=1.0),
        NOT_RECORDED: counts(rng, mean=3, ratio=1.0),
    }
    found = estimated(split(made))
    female, male = (one(found, f"victim_sex={name}") for name in ("Female", "Male"))
    assert female["lower"] < 0.6 < female["upper"] < 1
    assert male["lower"] < 1 < male["upper"]
    contrast = one(found, "victim_sex=Female", "ratio_of_rate_ratios")
    assert contrast["lower"] < 0.6 < contrast["upper"] < 1
    assert contrast["estimate"] == pytest.approx(female["estimate"] / male["estimate"], rel=1e-12)
    assert {row["question"] for row in found.to_dicts()} == {"RQ8"}


def test_an_effect_on_all_alike_makes_no_contrast_and_the_intervals_cover() -> None:
    """40 studies with a ratio of 0.8 in both groups: 95 % intervals, with Monte Carlo error."""
    held = seen = 0
    for seed in range(40):
        rng = np.random.default_rng([11, seed])
        made = {name: counts(rng, mean=6, ratio=0.8) for name in ("Female", "Male")}
        row = one(estimated(split(made)), "victim_sex=Female", "ratio_of_rate_ratios")
        held += row["lower"] < 1 < row["upper"]
        seen += 1
    assert held / seen >= 0.95 - 3 * math.sqrt(0.05 * 0.95 / seen)


def test_of_two_groups_one_contrast_and_of_three_each() -> None:
    rng = np.random.default_rng(1)
    sexes = {name: counts(rng, mean=8, ratio=0.9) for name in ("Female", "Male")}
    ages = {name: counts(rng, mean=8, ratio=0.9) for name in ("0-17", "18-24", "25+")}
    found = estimated(split(sexes), split(ages, "victim_age_band"))
    contrasts = found.filter(estimand="ratio_of_rate_ratios", role="beside")
    assert contrasts["subgroup"].to_list() == [
        "victim_age_band=0-17", "victim_age_band=18-24", "victim_age_band=25+",
        "victim_sex=Female",
    ]  # fmt: skip
    told = [json.loads(text) for text in contrasts["diagnostics"]]
    assert {one["multiplicity"].partition(":")[0] for one in told} == {"One of 4 contrasts"}
    expected = holm(contrasts["p_value"].to_numpy())
    assert [one["p_value_holm"] for one in told] == pytest.approx(expected.tolist(), rel=1e-9)


def test_the_groups_and_those_not_recorded_add_up_to_the_headline() -> None:
    """Splitting is a partition: put together again the counts give the headline itself."""
    rng = np.random.default_rng(3)
    made = {name: counts(rng, mean=5, ratio=0.85) for name in ("Female", "Male", NOT_RECORDED)}
    tables = [
        grid(make_panel(x, STARTS), outcome="planted", hours="all", kinds=("hotspot", "comparison"))
        for x in made.values()
    ]
    whole = together([table for table in tables if table is not None])
    assert np.array_equal(whole.counts, sum(made.values()))
    rows = estimated(split(made)).filter(estimand="rate_ratio", role="beside")
    headline = first_set(
        make_panel(sum(made.values()), STARTS), outcomes={"planted": PLANNED}, level=0.95,
        permutations=0, rng=np.random.default_rng(0), widths=(), leads=0, nte=None, bands={},
    ).filter(estimand="rate_ratio", role="headline")  # fmt: skip
    assert rows["n_events"].sum() == headline["n_events"][0]
    observed = [json.loads(text)["observed_events"] for text in rows["diagnostics"]]
    whole_observed = json.loads(headline["diagnostics"][0])["observed_events"]
    assert sum(observed) == pytest.approx(whole_observed)


def test_too_few_events_give_no_ratio_and_no_count_but_what_could_have_been_found() -> None:
    rng = np.random.default_rng(5)
    made = {
        "Female": counts(rng, mean=12, ratio=0.9),
        "Male": counts(rng, mean=0.05, ratio=0.9),
        NOT_RECORDED: counts(rng, mean=12, ratio=0.9),
    }
    found = estimated(split(made), least=100)
    row = one(found, "victim_sex=Male")
    assert row["status"] == "not_identified"
    assert row["reason"].startswith("Fewer than 100 events of this group")
    assert row["estimate"] is row["n_events"] is row["lower"] is None
    assert "events" not in json.loads(row["diagnostics"])
    assert row["minimum_detectable_effect"] is None or row["minimum_detectable_effect"] < 0.7
    other = one(found, "victim_sex=Female", "ratio_of_rate_ratios")
    assert other["status"] == "not_identified"
    assert "of the other groups" in other["reason"]


@pytest.mark.parametrize(
    ("starts", "words"),
    [
        ([None] * 30, "patrol"),
        ([18] * 30, "comparison"),
        ([0] * 10 + [None] * 20, "untreated"),
    ],
)
def test_what_cannot_be_identified_is_a_sentence(starts: list, words: str) -> None:
    rng = np.random.default_rng(2)
    made = {name: rng.poisson(4, (30, 36)).astype(float) for name in ("Female", "Male")}
    panels = {name: make_panel(x, starts) for name, x in made.items()}
    found = estimated(Split("victim_sex", "sex-2@1", panels))
    assert set(found["status"]) == {"not_identified"}
    assert all(words in reason for reason in found["reason"]), found["reason"].to_list()


def test_a_group_at_night_stands_in_the_annex_alone() -> None:
    rng = np.random.default_rng(9)
    panels = {}
    for name, ratio in (("Female", 0.6), ("Male", 1.0)):
        night, day = counts(rng, mean=6, ratio=ratio), counts(rng, mean=6, ratio=1.0)
        panels[name] = pl.concat(
            make_panel(x, STARTS, hours=hours)
            for hours, x in (("nte", night), ("other", day), ("all", night + day))
        )
    found = estimated(Split("victim_sex", "sex-2@1", panels))
    nights = found.filter(role="robustness")
    assert set(nights["hours"]) == {"nte:nte-core", "other:nte-core"}
    row = nights.filter(
        subgroup="victim_sex=Female", estimand="ratio_of_rate_ratios", hours="nte:nte-core"
    ).to_dicts()[0]
    assert row["lower"] < 0.6 < row["upper"] < 1


def test_the_share_not_recorded_is_followed_and_a_move_is_said() -> None:
    from datetime import date

    events = pl.DataFrame(
        {
            "month": [date(2021, 1, 1)] * 4 + [date(2021, 2, 1)] * 4,
            "victim_sex": ["Female", "Male", "Male", None, None, None, "Male", None],
        }
    )
    found = unrecorded_share(
        events, group="victim_sex", words="sex of the victim", described=DESCRIBED
    )
    assert dict(zip(found["horizon"], found["estimate"], strict=True)) == {
        "2021-01": 0.25, "2021-02": 0.75, "all": 0.5,
    }  # fmt: skip
    assert "25% to 75%" in found.filter(horizon="all")["reason"][0]
    empty = unrecorded_share(events.head(0), group="victim_sex", words="sex", described=DESCRIBED)
    assert empty["status"].to_list() == ["not_identified"]
