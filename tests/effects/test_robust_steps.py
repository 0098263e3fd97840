"""Steps, and the estimators in events: published values, other libraries, identities."""

import math
import warnings
from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy import optimize

from placeproof.effects.effect import effects, overall
from placeproof.effects.grid import Grid, checked, grid
from placeproof.effects.robustness.group_time import callaway_santanna, sun_abraham
from placeproof.effects.robustness.linear import Linear, events_spread, log_spread
from placeproof.effects.robustness.steps import Steps, steps
from placeproof.effects.robustness.synthetic import synthetic
from tests.effects.panels import REFERENCE, make_panel, simulate


def laid_out(panel: pl.DataFrame) -> Grid:
    made = grid(checked(panel), outcome="planted", hours="all", kinds=("hotspot", "comparison"))
    assert made is not None
    return made


def counties(shared_data) -> tuple[np.ndarray, np.ndarray]:
    """Log employment of 500 counties, 2003 to 2007, and the year of each minimum wage or 0."""
    rows = pl.read_csv(shared_data / "reference" / "mpdta.csv").sort("countyreal", "year")
    starts = rows["first.treat"].to_numpy().reshape(500, 5)[:, 0].astype(int)
    return rows["lemp"].to_numpy().reshape(500, 5), starts


@pytest.fixture
def mpdta(shared_data) -> Steps:
    values, starts = counties(shared_data)
    first = np.where(starts > 0, starts - 2003, 5)
    return Steps(tuple(map(str, range(500))), first, values, (), 1)


@pytest.fixture(scope="module")
def study() -> Grid:
    return laid_out(simulate.panel(simulate.BASE, 7))


@pytest.fixture(scope="module")
def quarters(study) -> Steps:
    return steps(study, weeks=13)


@pytest.mark.shared_data
def test_callaway_santanna_gives_the_published_values(mpdta) -> None:
    made = callaway_santanna(mpdta, controls="never")
    assert made.effect == pytest.approx(-0.0400, abs=5e-5)
    after = [(effect, error) for since, effect, error in made.by_step if since >= 0]
    assert np.mean([effect for effect, _ in after]) == pytest.approx(-0.0772, abs=5e-5)
    # "group" aggregation: cohorts by their own mean, weighted by counties.
    own, size = [], []
    for cohort in mpdta.cohorts:
        rows = (mpdta.first == cohort) | (mpdta.first == 5)
        part = Steps(("",) * rows.sum(), mpdta.first[rows], mpdta.counts[rows], (), 1)
        own.append(callaway_santanna(part, controls="never").effect)
        size.append((mpdta.first == cohort).sum())
    assert np.average(own, weights=size) == pytest.approx(-0.0310, abs=5e-5)
    # The published errors are of a bootstrap; those of single steps are known analytically.
    assert [error for _, error in after] == pytest.approx(
        [0.0118, 0.0169, 0.0364, 0.0344], abs=2e-4
    )


@pytest.mark.shared_data
def test_sun_abraham_agrees_with_the_saturated_regression_of_another_library(mpdta) -> None:
    import pandas as pd

    frame = pd.DataFrame(
        {
            "county": np.repeat(np.arange(500), 5),
            "year": np.tile(np.arange(1, 6), 500),
            "value": mpdta.counts.ravel(),
            "start": np.repeat(np.where(mpdta.first < 5, mpdta.first + 1, 0), 5),
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pyfixest

        other = pyfixest.event_study(
            frame, yname="value", idname="county", tname="year", gname="start",
            estimator="saturated", cluster="county", att=False,
        ).aggregate()  # fmt: skip
    made = {since: (effect, error) for since, effect, error in sun_abraham(mpdta).by_step}
    for since, row in other.iterrows():
        effect, error = made[int(since)]
        assert effect == pytest.approx(float(row["Estimate"]), abs=1e-8)
        assert error == pytest.approx(float(row["Std. Error"]), rel=1e-6)


@pytest.mark.shared_data
def test_poisson_imputation_of_the_same_data_is_that_of_glm(shared_data) -> None:
    values, starts = counties(shared_data)
    year = np.arange(2003, 2008)
    after = (starts[:, None] > 0) & (year[None, :] >= starts[:, None])
    table = Grid(
        places=tuple(map(str, range(500))),
        cohorts=tuple(date(g, 1, 1) if g else None for g in starts.tolist()),
        patrolled=starts > 0,
        period_starts=tuple(date(y, 1, 1) for y in year.tolist()),
        period_ends=tuple(date(y, 12, 31) for y in year.tolist()),
        period_kind="month",
        counts=np.exp(values),
        observed=np.ones_like(after),
        before=~after,
        after=after,
        event_time=np.zeros_like(after, dtype=int),
    )
    rows = pl.read_csv(REFERENCE / "effects_mpdta.csv", comment_prefix="#")
    known = {name: float(value) for name, value in rows.iter_rows()}
    assert overall(table, level=0.95).log_ratio == pytest.approx(known["overall"], abs=1e-8)
    parts = np.stack([after & (starts == g)[:, None] for g in (2004, 2006, 2007)])
    made = effects(table, parts=parts, level=0.95)
    for cohort, one in zip((2004, 2006, 2007), made, strict=True):
        assert one.log_ratio == pytest.approx(known[f"cohort_{cohort}"], abs=1e-8)


def test_callaway_santanna_is_a_difference_of_differences_by_hand(quarters) -> None:
    made = callaway_santanna(quarters, controls="never")
    never = quarters.counts[~quarters.treated]
    total, cells = 0.0, 0
    for start in quarters.cohorts:
        own = quarters.counts[quarters.first == start]
        for k in range(start, quarters.counts.shape[1]):
            change = (own[:, k] - own[:, start - 1]).mean()
            total += len(own) * (change - (never[:, k] - never[:, start - 1]).mean())
            cells += len(own)
    assert made.effect == pytest.approx(total / cells, rel=1e-9)
    assert made.cells == cells
    # Without covariates, Sun and Abraham's regression gives the same numbers.
    assert sun_abraham(quarters).effect == pytest.approx(made.effect, rel=1e-9)


def test_observed_less_effect_is_expected_and_one_p_value_holds_for_both(quarters) -> None:
    made = callaway_santanna(quarters, controls="not_yet")
    late = np.arange(quarters.counts.shape[1])[None, :] >= quarters.first[:, None]
    assert made.observed == pytest.approx(quarters.counts[late].mean())
    events, ratio = events_spread(made, level=0.95), log_spread(made, level=0.95)
    assert events is not None
    assert ratio is not None
    assert ratio.p_value == pytest.approx(events.p_value)
    assert events.degrees == 19
    nearly = Linear(1e-13, 1.0, 10.0, 10, 5, 5)
    assert log_spread(nearly, level=0.95).standard_error == pytest.approx(0.1)  # type: ignore[union-attr]


def _by_definition(data: Steps, start: int) -> float:
    """Synthetic difference-in-differences by a general solver, from the definition in the paper."""
    others, own = data.counts[~data.treated], data.counts[data.first == start]
    before, after = others[:, :start], others[:, start:]
    noise = np.diff(before, axis=1).std(ddof=1)
    zeta = (len(own) * after.shape[1]) ** 0.25 * noise

    def simplex(design: np.ndarray, target: np.ndarray, penalty: float) -> np.ndarray:
        k = design.shape[1]
        design = design - design.mean(axis=0)
        target = target - target.mean()

        def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
            gap = design @ w - target
            value = gap @ gap + penalty * (w @ w)
            return value, 2 * design.T @ gap + 2 * penalty * w

        made = optimize.minimize(
            loss, np.full(k, 1 / k), jac=True, bounds=[(0, 1)] * k, method="SLSQP",
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
            options={"ftol": 1e-14, "maxiter": 2000},
        )  # fmt: skip
        return made.x

    omega = simplex(before.T, own[:, :start].mean(axis=0), zeta**2 * start)
    little = (1e-6 * noise) ** 2 * len(others)
    lam = simplex(before, after.mean(axis=1), little)
    change = after.mean(axis=1) - before @ lam
    return float((own[:, start:].mean(axis=1) - own[:, :start] @ lam).mean() - omega @ change)


def test_synthetic_differences_are_those_of_their_definition() -> None:
    world = simulate.World(treated=6, comparison=15, starts=(156,), rate=3.0)
    data = steps(laid_out(simulate.panel(world, 3)), weeks=13)
    made = synthetic(data)
    # The library stops its search at a thousandth of the noise, so that digits further on differ.
    assert made.effect == pytest.approx(_by_definition(data, 12), abs=0.02 * made.error)


def test_the_joint_jackknife_is_the_librarys_where_there_is_one_cohort() -> None:
    import pandas as pd

    world = simulate.World(treated=6, comparison=15, starts=(156,), rate=3.0)
    data = steps(laid_out(simulate.panel(world, 4)), weeks=13)
    n, k = data.counts.shape
    frame = pd.DataFrame(
        {
            "place": np.repeat(np.arange(n), k),
            "step": np.tile(np.arange(k), n),
            "events": data.counts.ravel(),
            "treated": np.repeat(data.treated.astype(int), k),
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import diff_diff

        other = diff_diff.SyntheticDiD(variance_method="jackknife").fit(
            frame, outcome="events", treatment="treated", unit="place", time="step",
            post_periods=list(range(12, k)),
        )  # fmt: skip
    made = synthetic(data)
    assert made.effect == pytest.approx(float(other.att), abs=1e-9)
    assert made.error == pytest.approx(float(other.se), rel=1e-9)


def test_cohorts_of_synthetic_differences_are_averaged_by_treated_steps(quarters) -> None:
    whole = synthetic(quarters)
    total, cells = 0.0, 0
    for start in quarters.cohorts:
        rows = (quarters.first == start) | ~quarters.treated
        part = Steps(
            tuple(np.array(quarters.places)[rows]), quarters.first[rows], quarters.counts[rows],
            quarters.starts, quarters.periods,
        )  # fmt: skip
        one = synthetic(part)
        total += one.cells * one.effect
        cells += one.cells
    assert whole.effect == pytest.approx(total / cells, rel=1e-9)


def test_steps_hold_every_event_once_and_begin_with_the_first_patrol(study, quarters) -> None:
    assert quarters.counts.sum() == pytest.approx(study.counts.sum())
    assert quarters.counts.shape == (60, 24)
    assert set(quarters.first.tolist()) == {12, 14, 16, 18, 24}
    assert (quarters.places_left_out, quarters.steps_left_out) == (0, 0)


def test_a_start_inside_a_step_takes_the_longer_side_alone() -> None:
    counts = np.ones((3, 12)) * np.array([[2.0], [4.0], [8.0]])
    counts[1, 7:] = 40.0  # patrolled from its eighth month on: one month of the step 6 to 8 before
    panel = make_panel(counts, [6, 7, None])
    made = steps(laid_out(panel), weeks=13)
    assert made.periods == 3
    assert made.counts[1].tolist() == [12.0, 12.0, 120.0, 120.0]
    assert made.first.tolist() == [2, 2, 4]
    # Patrolled from the ninth month on: two months before, one after.
    counts[1, 7], counts[1, 8:] = 4.0, 40.0
    later = steps(laid_out(make_panel(counts, [6, 8, None])), weeks=13)
    assert later.counts[1].tolist() == [12.0, 12.0, 12.0, 120.0]
    assert later.first.tolist() == [2, 3, 4]


def test_steps_that_some_place_lacks_go_and_a_gap_stays_on_the_calendar() -> None:
    counts = np.arange(48.0).reshape(2, 24)
    counts[0, 3:6] = np.nan  # a whole step without a count in one place
    panel = make_panel(counts, [12, None]).filter(
        ~pl.col("period_start").is_between(date(2020, 7, 1), date(2020, 8, 31))
    )
    made = steps(laid_out(panel), weeks=13)
    # Months 0-2, (3-5 lacks a place), 8 alone of 6-8, 9-11, then patrols.
    assert made.steps_left_out == 1
    assert [day.isoformat() for day in made.starts[:4]] == [
        "2020-01-01", "2020-09-01", "2020-10-01", "2021-01-01",
    ]  # fmt: skip
    assert made.counts[1, 1] == pytest.approx(3 * 32.0)
    assert made.first.tolist() == [3, 7]


def test_no_estimator_of_steps_invents_a_number() -> None:
    rng = np.random.default_rng(1)
    some = rng.poisson(5, (6, 24)).astype(float)
    every = (lambda s: callaway_santanna(s, controls="not_yet"), sun_abraham, synthetic)

    def refusals(counts: np.ndarray, starts: list[int | None]) -> list[str | None]:
        data = steps(laid_out(make_panel(counts, starts)), weeks=13)
        return [make(data).refusal for make in every]

    assert all(refusals(some, [12] * 6))  # all at once, nobody to compare with
    assert all(refusals(some[:2], [12, None])[1:])  # one place never patrolled
    assert all(refusals(some, [0, 0, 0, None, None, None]))  # patrolled from the first step on
    assert all(refusals(np.full((6, 24), 3.0), [12, 12, 12, None, None, None]))  # constant
    never = refusals(some, [6, 12, 12, 18, 18, 18])
    assert never[0] is None  # those not yet patrolled serve Callaway–Sant'Anna
    assert all("never patrolled" in str(reason) for reason in never[1:])


def test_one_treated_place_has_an_estimate_and_no_interval() -> None:
    rng = np.random.default_rng(2)
    table = laid_out(make_panel(rng.poisson(6, (8, 24)).astype(float), [12] + [None] * 7))
    data = steps(table, weeks=13)
    for made in (callaway_santanna(data, controls="never"), sun_abraham(data), synthetic(data)):
        assert made.refusal is None
        assert math.isfinite(made.effect)
        assert events_spread(made, level=0.95) is None
        assert log_spread(made, level=0.95) is None


def test_a_cohort_without_two_steps_before_is_left_out_of_synthetic_differences() -> None:
    rng = np.random.default_rng(3)
    counts = rng.poisson(6, (9, 24)).astype(float)
    data = steps(laid_out(make_panel(counts, [3, 3, 12, 12] + [None] * 5)), weeks=13)
    made = synthetic(data)
    assert made.notes["cohorts_left_out"] == 1
    assert made.treated_places == 2
