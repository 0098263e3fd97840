"""Slopes of the dose: held against another library, and the error of the dose against truth."""

import numpy as np
import polars as pl
import pytest

from placeproof.effects import PlannedOutcome
from placeproof.effects.dose.response import CALIBRATED, DoseRules, calibrated, dose_response
from placeproof.effects.dose.slopes import two_way_slopes
from tests.effects.panels import make_panel

PLAN = {"planted": PlannedOutcome("RQ1", "Planted crimes", "planted@1:abc", "headline")}
RULES = DoseRules(step_minutes=10, groups=3, level=0.95)


def drawn(seed: int, n: int = 10, t: int = 14) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    dose = rng.uniform(0, 2, (n, t))
    used = rng.random((n, t)) < 0.9
    mean = rng.uniform(0.5, 4, (n, 1)) * rng.uniform(0.6, 1.4, (1, t)) * np.exp(-0.3 * dose)
    return rng.poisson(mean).astype(float), used, dose


def by_statsmodels(counts: np.ndarray, used: np.ndarray, doses: np.ndarray) -> np.ndarray:
    import statsmodels.api as sm

    row, column = np.nonzero(used)
    n, t = counts.shape
    terms = [d[row, column] for d in doses]
    x = np.column_stack([*terms, np.eye(n)[row], np.eye(t)[column][:, 1:]])
    x = x[:, np.abs(x).sum(0) > 0]
    model = sm.GLM(counts[row, column], x, family=sm.families.Poisson())
    return np.asarray(model.fit(tol=1e-14, maxiter=300).params[: len(doses)])


def test_slopes_and_jackknife_are_those_of_a_regression_with_dummies() -> None:
    counts, used, dose = drawn(1)
    doses = np.stack([dose, (dose > 1.5).astype(float)])
    made = two_way_slopes(counts, used, doses)
    assert made.log_ratios == pytest.approx(by_statsmodels(counts, used, doses), abs=1e-6)
    without = used.copy()
    without[3] = False
    known = by_statsmodels(counts, without, doses)
    assert made.replicates[3] == pytest.approx(known, abs=1e-6)


def test_a_dose_that_places_and_periods_tell_has_no_slope() -> None:
    counts, used, _ = drawn(2)
    told = np.arange(10)[:, None] + np.arange(14)[None, :] * 1.0
    assert "alone tell the dose" in str(two_way_slopes(counts, used, told[None]).refusal)
    assert "No event" in str(two_way_slopes(np.zeros_like(counts), used, told[None]).refusal)


def test_error_of_the_dose_attenuates_and_calibration_corrects_it() -> None:
    rng = np.random.default_rng(7)
    naive, better = [], []
    for _ in range(30):
        n, t = 24, 20
        true = rng.normal(3, 0.1, (n, 1)) + rng.normal(0, 1, (n, t))
        spread = rng.uniform(0.4, 1.4, (n, t))
        seen = true + rng.normal(0, 1, (n, t)) * spread
        counts = rng.poisson(4 * np.exp(-0.2 * true)).astype(float) + 0.0
        used = np.ones((n, t), dtype=bool)
        naive.append(_slope(counts, used, seen))
        better.append(_slope(counts, used, calibrated(seen, spread**2, used)[0]))  # type: ignore[index]
    share = 1 / (1 + np.mean(np.linspace(0.4, 1.4, 1001) ** 2))
    error = np.std(better) / np.sqrt(30)
    assert np.mean(naive) == pytest.approx(-0.2 * share, abs=4 * np.std(naive) / np.sqrt(30))
    assert abs(np.mean(better) + 0.2) < 4 * error
    assert np.mean(naive) > -0.2 + 4 * error


def _slope(counts: np.ndarray, used: np.ndarray, dose: np.ndarray) -> float:
    """The coefficient alone, without leaving places out."""
    from placeproof.effects.dose.slopes import _fit

    made = _fit(counts, used, dose[None] * used, None)
    assert made is not None
    return float(made[0][0])


def panel_of(minutes: np.ndarray, counts: np.ndarray, column: str) -> pl.DataFrame:
    n = len(counts) // 2
    panel = make_panel(counts, [8] * n + [None] * n)
    places = {f"P{i:02d}": i for i in range(n)}
    starts = {day: k for k, day in enumerate(sorted(panel["period_start"].unique()))}
    values = [
        float(minutes[places[p], starts[d]]) if p in places and starts[d] >= 8 else None
        for p, d in panel.select("place_id", "period_start").rows()
    ]
    return panel.with_columns(pl.Series(column, values, dtype=pl.Float64))


def planted(column: str) -> pl.DataFrame:
    rng = np.random.default_rng(4)
    minutes = rng.uniform(0, 20, (10, 30)) * 30
    mean = rng.uniform(6, 14, (20, 1)) * rng.uniform(0.8, 1.2, (1, 30))
    effect = np.zeros((20, 30))
    effect[:10, 8:] = -0.25 * minutes[:, 8:] / 30 / 10
    return panel_of(minutes, rng.poisson(mean * np.exp(effect)).astype(float), column)


def test_a_planted_slope_is_recovered_for_planned_minutes_and_in_groups() -> None:
    made = dose_response(planted("planned_minutes"), outcomes=PLAN, errors=None, rules=RULES)
    rows = {row["horizon"]: row for row in made.iter_rows(named=True)}
    for name in ("dose=planned", "dose=planned, patrolled time"):
        assert rows[name]["lower"] < np.exp(-0.25) < rows[name]["upper"] < 1
    groups = [rows[f"group={k}"]["estimate"] for k in (1, 2, 3)]
    assert groups == sorted(groups, reverse=True)
    assert rows["dose=delivered"]["status"] == "not_supplied"


def test_delivered_minutes_stand_with_and_without_their_error() -> None:
    panel = planted("delivered_minutes")
    errors = panel.filter(pl.col("delivered_minutes").is_not_null()).select(
        "place_id", "period_start", variance=pl.lit((3.0 * 30) ** 2)
    )
    made = dose_response(panel, outcomes=PLAN, errors=errors, rules=RULES)
    both = {
        row["method"]: row for row in made.filter(horizon="dose=delivered").iter_rows(named=True)
    }
    assert both[CALIBRATED]["estimate"] < both["poisson_two_way_dose_jackknife"]["estimate"] < 1
    assert all("association" in row["reason"] for row in both.values())
    unknown = dose_response(panel, outcomes=PLAN, errors=errors.head(3), rules=RULES)
    assert "not known everywhere" in unknown.filter(method=CALIBRATED)["reason"].item()
    wild = errors.with_columns(variance=pl.lit(1e9))
    row = dose_response(panel, outcomes=PLAN, errors=wild, rules=RULES).filter(method=CALIBRATED)
    assert "no more than their error" in row["reason"].item()


def test_without_minutes_it_is_said() -> None:
    panel = make_panel(np.full((4, 12), 3.0), [6, 6, None, None])
    made = dose_response(panel, outcomes=PLAN, errors=None, rules=RULES)
    assert made["status"].unique().to_list() == ["not_supplied"]
