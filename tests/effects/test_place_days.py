"""Days with a tasked patrol against days without: R, known truth, honest where little is."""

import math
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from placeproof.effects.dose import DayRules, lot_rows, place_days, tasked_day_rows
from placeproof.effects.dose.by_lot import RANDOMISATION, allotted
from placeproof.effects.dose.place_days import ASSOCIATION, BY_LOT, NOT_BY_LOT
from placeproof.effects.dose.within import within_strata

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
RULES = DayRules(lag_days=2, washout_days=2, lot_block="week", permutations=199, level=0.95)
BASE = {"question": "RQ1", "outcome": "planted", "outcome_label": "Planted", "feeds": "crime"}
START = date(2022, 1, 3)


def rebuilt(terms: list[str]) -> object:
    d = pl.read_csv(REFERENCE / "effects_days_counts.csv")
    day = d["day"].to_numpy()
    held = [(day % 7 == k).astype(float) for k in range(6)]
    columns = [d[name].cast(pl.Float64).to_numpy() for name in terms]
    place = d["place"].to_numpy() - 1
    return within_strata(
        d["count"].cast(pl.Float64).to_numpy(), np.column_stack([*columns, *held]),
        place * 3 + day // 28, place, asked=len(terms),
    )  # fmt: skip


def test_coefficients_and_jackknife_are_those_of_glm_in_r() -> None:
    known = pl.read_csv(REFERENCE / "effects_days.csv", comment_prefix="#")
    for model, terms in (("tasked", ["tasked"]), ("lags", ["tasked", "lag_1", "lag_2"])):
        made = rebuilt(terms)
        for row in known.filter(model=model).iter_rows(named=True):
            chosen = range(3) if row["term"] == "sum" else [terms.index(row["term"])]
            spread = made.spread(list(chosen), level=0.95)
            assert made.summed(list(chosen))[0] == pytest.approx(row["log_ratio"], abs=1e-7)
            assert spread.standard_error == pytest.approx(row["standard_error"], abs=1e-7)


def panel(
    tasked: np.ndarray, counts: np.ndarray, *, start: date = START, before: int = 0
) -> pl.DataFrame:
    rows = []
    for i, (asked, series) in enumerate(zip(tasked, counts, strict=True)):
        for t, (yes, count) in enumerate(zip(asked, series, strict=True)):
            rows.append(
                {
                    "place_id": f"P{i:02d}",
                    "period_start": start + timedelta(t),
                    "treated": t >= before,
                    "count": None if np.isnan(count) else float(count),
                    "planned_minutes": 15.0 * bool(yes) if t >= before else None,
                }
            )
    return pl.DataFrame(rows)


def drawn(
    seed: int, ratio: float, *, places: int = 12, days: int = 140
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    tasked = rng.random((places, days)) < 0.5
    wander = np.exp(rng.normal(0, 0.3, (places, days // 7)).repeat(7, axis=1))
    level = rng.uniform(0.3, 1.5, (places, 1)) * wander
    return tasked, rng.poisson(level * np.where(tasked, ratio, 1.0)).astype(float)


def spans(places: int, days: int = 140) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "place_id": [f"P{i:02d}" for i in range(places)],
            "first": [START] * places,
            "last": [START + timedelta(days - 1)] * places,
        },
        schema={"place_id": pl.String, "first": pl.Date, "last": pl.Date},
    )


NOWHERE = spans(0)


def rows(panel: pl.DataFrame, by_lot: pl.DataFrame, **changes: object) -> list[dict]:
    days = place_days(panel, by_lot=by_lot, lag_days=2)
    made = tasked_day_rows(days, BASE, rules=RULES, lags=True)
    return [*made, *lot_rows(days, BASE, rules=RULES, rng=np.random.default_rng(5))]


def test_a_planted_ratio_is_recovered_within_places_and_by_the_lots() -> None:
    made = rows(panel(*drawn(1, 0.7)), spans(12))
    for row in (r for r in made if r["estimand"] == "tasked_day_rate_ratio"):
        assert row["subgroup"] == BY_LOT
        assert row["lower"] < 0.7 < row["upper"], row
        assert row["upper"] < 1.0
    by_lot = next(r for r in made if r["method"] == RANDOMISATION)
    assert by_lot["p_value"] == pytest.approx(1 / 200)


def test_days_that_nobody_drew_are_an_association_and_never_randomisation() -> None:
    made = rows(panel(*drawn(1, 0.7)), NOWHERE)
    assert {r["subgroup"] for r in made} == {NOT_BY_LOT}
    assert RANDOMISATION not in {r["method"] for r in made}
    assert all(ASSOCIATION in r["reason"] for r in made if r.get("estimate"))


def test_carry_over_is_found_day_by_day_and_summed() -> None:
    rng = np.random.default_rng(3)
    tasked = rng.random((20, 280)) < 0.5
    log = math.log(0.7) * tasked
    log[:, 1:] += math.log(0.8) * tasked[:, :-1]
    counts = rng.poisson(1.5 * np.exp(log)).astype(float)
    made = rows(panel(tasked, counts), spans(20, 280))
    by_day = {r["horizon"]: r for r in made if "lag" in str(r["estimand"])}
    truth = {"day=0": 0.7, "day=1": 0.8, "day=2": 1.0, "days=0-2": 0.56, "days=1-2": 0.8}
    for horizon, ratio in truth.items():
        assert by_day[horizon]["lower"] < ratio < by_day[horizon]["upper"]
    assert by_day["day=0"]["estimate"] == pytest.approx(0.7, abs=0.05)


def test_the_interval_by_lot_claims_what_it_holds() -> None:
    held = []
    for seed in range(60):
        tasked, counts = drawn(100 + seed, 0.8, places=6, days=84)
        block = (np.arange(6)[:, None] * 12 + np.arange(84)[None, :] // 7).ravel()
        made = allotted(
            counts.ravel(), tasked.ravel(), block,
            permutations=99, rng=np.random.default_rng(seed),
        )  # fmt: skip
        low, high = made.ends(level=0.9)
        held.append(low < math.log(0.8) < high)
    # 54 of 60 are promised; chance alone gives fewer than 46 once in a thousand times.
    assert sum(held) >= 46


def test_every_day_tasked_says_so_and_zeros_say_so() -> None:
    tasked, counts = drawn(1, 0.7)
    every = rows(panel(np.ones_like(tasked), counts), NOWHERE)
    assert all(r["status"] == "not_identified" for r in every)
    assert "every one of these days" in every[0]["reason"]
    none = rows(panel(tasked, np.zeros_like(counts)), spans(12))
    assert {r["status"] for r in none} == {"not_identified"}
    missing = rows(panel(tasked, np.full_like(counts, np.nan)), spans(12))
    assert missing == []


def test_one_place_has_an_estimate_without_an_interval() -> None:
    tasked, counts = drawn(1, 0.7, places=1)
    made = rows(panel(tasked, counts), NOWHERE)
    first = next(r for r in made if r["estimand"] == "tasked_day_rate_ratio")
    assert first["estimate"] > 0
    assert first.get("lower") is None
    assert "single place" in first["reason"]


def test_days_before_patrols_are_untasked_in_the_lags_and_never_rows() -> None:
    tasked, counts = drawn(1, 0.7, places=2)
    days = place_days(panel(tasked, counts, before=7), by_lot=NOWHERE, lag_days=2)
    assert days["day"].min() == START + timedelta(7)
    first = days.filter(pl.col("day") == START + timedelta(7))
    assert first["lag_1"].to_list() == [False, False]


def test_weekdays_without_any_event_do_not_stop_the_fit() -> None:
    tasked, counts = drawn(1, 0.7)
    weekday = np.array([(START + timedelta(t)).isoweekday() for t in range(140)])
    counts[:, weekday < 5] = 0.0
    quiet = rows(panel(tasked, counts), NOWHERE)
    counts[:, weekday < 5] = np.nan
    unknown = rows(panel(tasked, counts), NOWHERE)
    assert quiet[0]["lower"] < 1
    assert quiet[0]["estimate"] == pytest.approx(unknown[0]["estimate"], abs=1e-8)
    assert quiet[0]["standard_error"] == pytest.approx(unknown[0]["standard_error"], abs=1e-8)
