"""The headline made otherwise: the first set on what is left, and honest where little is."""

import math

import numpy as np
import polars as pl
import pytest

from placeproof.effects import PlannedOutcome, by_hours, first_set, without_periods
from tests.effects.panels import make_panel, month

PLAN = {"planted": PlannedOutcome("RQ1", "Planted crimes", "planted@1:abc", "headline")}
FIGURES = ("estimate", "lower", "upper", "standard_error", "p_value", "minimum_detectable_effect",
           "n", "n_places", "n_events", "window_start", "window_end")  # fmt: skip


def whole(**changes: object) -> pl.DataFrame:
    counts = np.random.default_rng(2).poisson(6, size=(8, 24)).astype(float)
    counts[:4, 12:] *= 0.5
    return make_panel(counts, [12] * 4 + [None] * 4, **changes)  # type: ignore[arg-type]


def first(panel: pl.DataFrame, **changes: object) -> pl.DataFrame:
    settings: dict = {"level": 0.95, "permutations": 0, "rng": np.random.default_rng(1),
                      "widths": (), "leads": 0, "nte": None, "bands": {}}  # fmt: skip
    return first_set(panel, outcomes=PLAN, **{**settings, **changes})


def headline(made: pl.DataFrame, estimand: str = "rate_ratio") -> dict:
    chosen = made.filter(
        estimand=estimand, method="poisson_imputation_jackknife", population="treated hot spots"
    )
    return chosen.row(0, named=True)


def without(panel: pl.DataFrame, *months: int) -> pl.DataFrame:
    left_out = {"E1": [month(k) for k in months]}
    return without_periods(panel, outcomes=PLAN, left_out=left_out, level=0.95)


def test_without_periods_is_the_first_set_on_the_periods_that_are_left() -> None:
    gone = [month(k) for k in (10, 11, 12, 13)]
    by_hand = headline(first(whole().filter(~pl.col("period_start").is_in(gone))))
    made = headline(without(whole(), 10, 11, 12, 13))
    assert {name: made[name] for name in FIGURES} == {name: by_hand[name] for name in FIGURES}
    assert (made["role"], made["horizon"]) == ("robustness", "without=E1")
    assert made["estimate"] != headline(first(whole()))["estimate"]


def test_the_change_is_the_quotient_and_its_interval_leaves_each_place_out_of_both() -> None:
    panel, gone = whole(), [month(3), month(14)]
    kept = panel.filter(~pl.col("period_start").is_in(gone))

    def log_change(place: str | None) -> float:
        both = [
            headline(first(part if place is None else part.filter(pl.col("place_id") != place)))
            for part in (kept, panel)
        ]
        return math.log(both[0]["estimate"] / both[1]["estimate"])

    made = headline(without(panel, 3, 14), "change_in_rate_ratio")
    centre = log_change(None)
    places = panel["place_id"].unique().sort().to_list()
    moved = np.array([log_change(place) for place in places])
    error = math.sqrt((len(places) - 1) / len(places) * ((moved - centre) ** 2).sum())
    assert made["estimate"] == pytest.approx(math.exp(centre), rel=1e-9)
    assert made["standard_error"] == pytest.approx(error, rel=1e-6)
    # t with three degrees of freedom, as tables give it
    assert made["upper"] == pytest.approx(math.exp(centre + 3.182446 * error), rel=1e-5)
    assert made["minimum_detectable_effect"] is None


def test_leaving_nothing_out_changes_nothing() -> None:
    made = without_periods(whole(), outcomes=PLAN, left_out={"E1": []}, level=0.95)
    assert headline(made)["estimate"] == headline(first(whole()))["estimate"]
    assert headline(made, "change_in_rate_ratio")["estimate"] == 1.0


@pytest.mark.parametrize("gone", [range(12), range(12, 24)])
def test_where_too_little_is_left_there_is_a_reason_and_no_number(gone: range) -> None:
    made = without(whole(), *gone)
    assert made["status"].to_list() == ["not_identified"]
    assert made["estimate"].to_list() == [None]
    assert made["reason"].item().startswith("Too little is left. ")


def test_an_interval_that_is_lost_takes_the_estimate_with_it() -> None:
    # Of the months before, only month 11 is left, and there one comparison place alone is counted.
    counts = np.random.default_rng(3).poisson(6, size=(6, 16)).astype(float)
    counts[4:, 11] = np.nan
    panel = make_panel(counts, [12] * 3 + [None] * 3)
    assert headline(first(panel))["lower"] is not None
    left = first(panel.filter(pl.col("period_start") >= month(11)))
    assert headline(left)["lower"] is None
    assert headline(left)["status"] == "estimated"
    made = without(panel, *range(11))
    assert made["status"].to_list() == ["not_identified"]
    assert "rests on a single place" in made["reason"].item()


def test_an_outcome_without_a_count_says_so() -> None:
    other = {"else": PLAN["planted"]}
    made = without_periods(whole(), outcomes=other, left_out={"E1": [month(1)]}, level=0.95)
    assert made["status"].to_list() == ["not_identified"]


def split() -> pl.DataFrame:
    night = whole(hours="nte").with_columns(count=(pl.col("count") / 3).floor())
    rest = whole(hours="other").with_columns(count=pl.col("count") - (pl.col("count") / 3).floor())
    return pl.concat([night, rest])


def test_hours_under_one_more_rule_are_those_of_the_first_set() -> None:
    by_hand = first(pl.concat([whole(), split()]), nte="nte-late").filter(question="RQ9")
    made = by_hours(split(), outcomes=PLAN, nte="nte-late", level=0.95)
    assert made.height == by_hand.height == 3
    assert set(made["role"]) == {"robustness"}
    assert set(made["hours"]) == {"nte:nte-late", "other:nte-late"}
    for row in made.iter_rows(named=True):
        hours = "all" if row["estimand"] == "ratio_of_rate_ratios" else row["hours"]
        twin = by_hand.filter(estimand=row["estimand"], hours=hours).row(0, named=True)
        assert {name: row[name] for name in FIGURES} == {name: twin[name] for name in FIGURES}


def test_each_set_of_hours_is_the_headline_of_its_own_counts() -> None:
    made = by_hours(split(), outcomes=PLAN, nte="nte-peak", level=0.95)
    for hours in ("nte", "other"):
        alone = split().filter(hours=hours).with_columns(hours=pl.lit("all"))
        row = made.filter(estimand="rate_ratio", hours=f"{hours}:nte-peak").row(0, named=True)
        twin = headline(first(alone))
        assert {name: row[name] for name in FIGURES} == {name: twin[name] for name in FIGURES}


def test_no_hours_no_rows() -> None:
    assert by_hours(whole(), outcomes=PLAN, nte="nte-late", level=0.95).is_empty()
