"""Imputation, jackknife, placebo permutation: against R, statsmodels and slow obvious versions."""

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from placeproof.effects.effect import effects, overall
from placeproof.effects.grid import Grid, grid, only
from placeproof.effects.imputation import (
    groups,
    placebo_log_ratios,
    sums,
    totals,
)
from placeproof.effects.inference import placebo_p_value
from placeproof.effects.trend import adjusted
from tests.effects.panels import REFERENCE, make_panel, simulate

KINDS = ("hotspot", "comparison")
# R's glm stops at a relative change of the deviance of 1e-14; its coefficients are good to 1e-8.
TOLERANCE = 1e-6


def laid_out(panel: pl.DataFrame) -> Grid:
    table = grid(panel, outcome="planted", hours="all", kinds=KINDS)
    assert table is not None
    return table


def by_statsmodels(table: Grid, *, trend: bool = False) -> tuple[float, float, float]:
    """Slow and obvious: dummies for every place and period, fitted to untreated cells."""
    n, periods = table.counts.shape
    row, column = (part.ravel() for part in np.indices((n, periods)))
    cell = np.arange(n * periods)
    design = np.zeros((n * periods, n + periods + 1))
    design[cell, row] = 1.0
    design[cell, n + column] = 1.0
    design[:, -1] = column * table.patrolled[row]
    before = (table.before & table.observed).ravel()
    after = (table.after & table.observed).ravel()
    seen = design[before].any(axis=0)
    seen[n + np.flatnonzero(seen[n : n + periods])[0]] = False
    seen[-1] = trend
    model = sm.GLM(
        table.counts.ravel()[before], design[before][:, seen], family=sm.families.Poisson()
    )
    fit = model.fit(tol=1e-13, maxiter=300)
    imputed = fit.predict(design[after][:, seen]).sum()
    observed = table.counts.ravel()[after].sum()
    return float(np.log(observed / imputed)), float(imputed), float(fit.params[-1])


def test_imputed_counts_agree_with_r(invented, r_values) -> None:
    effect = overall(laid_out(invented), level=0.95)
    assert effect.observed == r_values["observed"]
    assert effect.imputed == pytest.approx(r_values["imputed"], rel=TOLERANCE)
    assert effect.log_ratio == pytest.approx(r_values["log_ratio"], abs=TOLERANCE)


def test_leave_one_place_out_agrees_with_r(invented, r_values) -> None:
    effect = overall(laid_out(invented), level=0.95)
    expected = [r_values[f"without_{k:02d}"] for k in range(1, 15)]
    assert effect.replicates == pytest.approx(np.array(expected), abs=TOLERANCE)
    assert effect.spread is not None
    assert effect.spread.standard_error == pytest.approx(r_values["jackknife_error"], abs=TOLERANCE)
    assert effect.spread.degrees == 6


def test_cohorts_agree_with_r(invented, r_values) -> None:
    table = laid_out(invented)
    for start in (9, 13, 17):
        day = table.period_starts[start - 1]
        member = np.array([c is not None and c.replace(day=1) == day for c in table.cohorts])
        made = effects(table, parts=(table.after & member[:, None])[None], level=0.95)[0]
        assert made.log_ratio == pytest.approx(r_values[f"cohort_{start:02d}"], abs=TOLERANCE)


def test_trend_adjustment_agrees_with_r(invented, r_values) -> None:
    full, _ = adjusted(laid_out(invented))
    assert full.slope[0] == pytest.approx(r_values["trend_slope"], abs=TOLERANCE)
    assert full.imputed[0] == pytest.approx(r_values["trend_imputed"], rel=TOLERANCE)


@pytest.mark.parametrize("seed", range(4))
def test_imputation_agrees_with_statsmodels(seed: int) -> None:
    world = simulate.World(treated=5, comparison=7, weeks=40, starts=(15, 20, 30), rate=2.0)
    table = laid_out(simulate.panel(world, seed))
    log_ratio, imputed, _ = by_statsmodels(table)
    effect = overall(table, level=0.95)
    assert effect.imputed == pytest.approx(imputed, rel=TOLERANCE)
    assert effect.log_ratio == pytest.approx(log_ratio, abs=TOLERANCE)


@pytest.mark.parametrize("seed", range(3))
def test_jackknife_is_the_slow_loop(seed: int) -> None:
    world = simulate.World(treated=4, comparison=5, weeks=30, starts=(12, 18), rate=2.0)
    table = laid_out(simulate.panel(world, seed))
    n = len(table.places)
    slow = [by_statsmodels(only(table, np.arange(n) != k))[0] for k in range(n)]
    slow_trend = [by_statsmodels(only(table, np.arange(n) != k), trend=True) for k in range(n)]
    effect = overall(table, level=0.95)
    _, trended = adjusted(table)
    assert effect.replicates == pytest.approx(np.array(slow), abs=TOLERANCE)
    assert trended.slope == pytest.approx(np.array([s[2] for s in slow_trend]), abs=TOLERANCE)
    assert trended.log_ratio == pytest.approx(np.array([s[0] for s in slow_trend]), abs=TOLERANCE)


def test_permutations_are_the_slow_loop(invented) -> None:
    table = laid_out(invented)
    made = placebo_log_ratios(table, permutations=20, rng=np.random.default_rng(3))
    rng = np.random.default_rng(3)
    for value in made:
        order = rng.permutation(len(table.places))
        moved = Grid(
            **{
                **table.__dict__,
                "before": table.before[order],
                "after": table.after[order],
                "cohorts": tuple(table.cohorts[k] for k in order),
            }
        )
        assert value == pytest.approx(overall(moved, level=0.95).log_ratio, abs=1e-9)


def test_shuffled_rows_change_nothing(invented) -> None:
    first = overall(laid_out(invented), level=0.95)
    second = overall(laid_out(invented.sample(fraction=1.0, shuffle=True, seed=5)), level=0.95)
    assert (first.log_ratio, first.spread) == (second.log_ratio, second.spread)


def test_every_place_twice_gives_the_same_ratio(invented) -> None:
    twice = pl.concat([invented, invented.with_columns(place_id=pl.col("place_id") + "b")])
    once, doubled = overall(laid_out(invented), level=0.95), overall(laid_out(twice), level=0.95)
    assert doubled.log_ratio == pytest.approx(once.log_ratio, abs=1e-10)
    assert doubled.imputed == pytest.approx(2 * once.imputed, rel=1e-10)


def test_ten_times_the_counts_gives_the_same_ratio(invented) -> None:
    more = overall(laid_out(invented.with_columns(count=pl.col("count") * 10)), level=0.95)
    once = overall(laid_out(invented), level=0.95)
    assert more.log_ratio == pytest.approx(once.log_ratio, abs=1e-10)
    assert more.spread is not None
    assert once.spread is not None
    assert more.spread.standard_error == pytest.approx(once.spread.standard_error, rel=1e-9)


def test_a_town_that_doubles_everywhere_is_no_effect() -> None:
    level = np.array([3.0, 8.0, 5.0, 2.0, 9.0])
    season = np.array([1.0, 2.0, 1.5, 4.0, 3.0, 8.0])
    counts = level[:, None] * season[None, :]
    effect = overall(laid_out(make_panel(counts, [2, 3, None, None, None])), level=0.95)
    assert effect.log_ratio == pytest.approx(0.0, abs=1e-9)


def test_fits_reproduce_the_sums_of_untreated_counts(invented) -> None:
    table = laid_out(invented)
    grouped = groups(table)
    from placeproof.effects.fitting import fit

    events = sums(table, grouped)[None]
    made = fit(events, grouped.before.astype(float))
    fitted = grouped.before * made.rows[0][:, None] * made.columns[0][None, :]
    kept = np.where(grouped.before, events[0], 0.0)
    assert fitted.sum(axis=0) == pytest.approx(kept.sum(axis=0), abs=1e-8)
    assert fitted.sum(axis=1) == pytest.approx(kept.sum(axis=1), abs=1e-8)


def test_part_sums_make_the_whole(invented) -> None:
    table = laid_out(invented)
    grouped = groups(table)
    halves = np.stack([grouped.after.copy(), grouped.after.copy()])
    halves[0, :, 18:] = False
    halves[1, :, :18] = False
    everyone = np.ones((1, len(grouped.before)), dtype=bool)
    events = sums(table, grouped)[None]
    split = totals(events, everyone, before=grouped.before, parts=halves)
    whole = totals(events, everyone, before=grouped.before, parts=grouped.after[None])
    assert split.imputed.sum() == pytest.approx(whole.imputed.sum(), rel=1e-12)
    assert split.observed.sum() == whole.observed.sum()


def test_placebo_effects_are_zero_on_average() -> None:
    world = simulate.World(rate_ratio=1.0, weeks=104, starts=(52,), treated=8, comparison=16)
    made = placebo_log_ratios(
        laid_out(simulate.panel(world, 4)), permutations=4000, rng=np.random.default_rng(1)
    )
    error = made.std() / np.sqrt(len(made))
    # Jensen: a log of a ratio of means over a few places lies slightly below 0.
    assert abs(made.mean()) < 4 * error + 0.01


def test_placebo_p_value_counts_the_estimate_itself() -> None:
    assert placebo_p_value(1.0, np.array([0.1, -0.2, 0.3])) == 1 / 4
    assert placebo_p_value(0.2, np.array([0.1, -0.2, 0.3, np.nan])) == 3 / 4
    assert np.isnan(placebo_p_value(0.2, np.array([np.nan])))


def test_same_seed_same_permutations(invented) -> None:
    table = laid_out(invented)
    first = placebo_log_ratios(table, permutations=50, rng=np.random.default_rng(9))
    second = placebo_log_ratios(table, permutations=50, rng=np.random.default_rng(9))
    assert np.array_equal(first, second)


def test_imputation_agrees_with_etwfe(invented) -> None:
    # pyfixest inside etwfe stops at a relative change of the deviance of 1e-8: five digits are its.
    table = pl.read_csv(REFERENCE / "effects_etwfe.csv", comment_prefix="#")
    oracle = dict(zip(table["name"], table["value"].cast(pl.Float64), strict=True))
    balanced = invented.filter(
        ~pl.col("place_id").is_in(["P01", "P03", "P10"])
        & (pl.col("period_start") != invented["period_start"].unique().sort()[5])
    )
    laid = laid_out(balanced)
    for name, expected in oracle.items():
        days = [
            laid.period_starts[k - 2] for k in (9, 13, 17) if name in ("all", f"cohort_{k:02d}")
        ]
        cells = laid.after & np.array([c in days for c in laid.cohorts])[:, None]
        made = effects(laid, parts=cells[None], level=0.95)[0]
        assert (made.observed - made.imputed) / made.cells == pytest.approx(expected, rel=2e-5)
