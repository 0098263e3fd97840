"""Bounded weights: a general solver, constraints met or said, and the ratio they give."""

import numpy as np
import pytest
from scipy import optimize

from placeproof.effects.grid import Grid, checked, grid, only
from placeproof.effects.robustness.calibrated import calibrated
from placeproof.effects.robustness.calibration import blocks, calibrate
from tests.effects.panels import make_panel, simulate


def laid_out(panel) -> Grid:
    made = grid(checked(panel), outcome="planted", hours="all", kinds=("hotspot", "comparison"))
    assert made is not None
    return made


@pytest.fixture(scope="module")
def study() -> Grid:
    return laid_out(simulate.panel(simulate.BASE, 11))


def one_problem(traits: np.ndarray, totals: np.ndarray, treated: float, most: float):
    return calibrate(
        traits, totals[None], treated=np.array([treated]), most=most,
        kept=np.ones((1, len(traits)), dtype=bool),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_weights_are_those_of_a_general_solver(seed: int) -> None:
    rng = np.random.default_rng(seed)
    traits = rng.gamma(4, 1, (30, 3))
    totals = 8 * (traits.mean(axis=0) + rng.normal(0, 0.15, 3))
    most, even = 1.8, 8 / 30
    made = one_problem(traits, totals, 8.0, most)
    other = optimize.minimize(
        lambda w: ((w / even - 1) ** 2).sum(), np.full(30, even),
        jac=lambda w: 2 * (w / even - 1) / even, bounds=[(0, most * even)] * 30, method="SLSQP",
        constraints={"type": "eq", "fun": lambda w: (traits.T @ w - totals) / totals},
        options={"ftol": 1e-15, "maxiter": 5000},
    )  # fmt: skip
    assert other.success
    assert made.settled.all()
    assert made.met.all()
    assert np.abs(made.weights[0] - other.x).max() < 0.02 * even  # the totals are soft
    assert np.abs(traits.T @ made.weights[0] / totals - 1).max() < 2e-3
    assert made.weights.min() >= 0
    assert made.weights.max() <= most * even * (1 + 1e-12)


def test_no_weight_falls_below_nothing() -> None:
    traits = np.column_stack([np.ones(17), np.linspace(1, 9, 17)])
    made = one_problem(traits, np.array([4.0, 4 * 7.5]), 4.0, 20.0)
    assert made.met.all()
    assert (made.weights[0][:4] == 0).all()
    assert made.weights[0] @ traits[:, 1] == pytest.approx(4 * 7.5, rel=5e-3)
    # Above 0 the weights lie on a line, which is what being nearest to even ones means.
    above = made.weights[0][made.weights[0] > 0]
    assert np.ptp(np.diff(above[1:])) < 1e-6


def test_totals_out_of_reach_are_approached_and_said() -> None:
    traits = np.random.default_rng(1).gamma(4, 1, (12, 2))
    far = one_problem(traits, 4 * 5 * traits.mean(axis=0), 4.0, 2.0)
    assert far.weights[0] == pytest.approx(np.full(12, 2 * 4 / 12))  # every bound is reached
    assert far.missed[0] == pytest.approx([-0.6, -0.6])
    assert not far.met.any()


def test_problems_solved_together_are_those_solved_alone() -> None:
    rng = np.random.default_rng(2)
    traits = rng.gamma(4, 1, (20, 3))
    totals = 5 * (traits.mean(axis=0) + rng.normal(0, 0.4, (7, 3)))
    kept = rng.random((7, 20)) < 0.8
    many = calibrate(traits, totals, treated=np.full(7, 5.0), kept=kept, most=4.0)
    for r in range(7):
        alone = calibrate(
            traits[kept[r]], totals[r][None], treated=np.array([5.0]), most=4.0,
            kept=np.ones((1, kept[r].sum()), dtype=bool),
        )  # fmt: skip
        assert many.weights[r][kept[r]] == pytest.approx(alone.weights[0], abs=1e-6)
        assert (many.weights[r][~kept[r]] == 0).all()


def test_periods_are_cut_into_equal_parts() -> None:
    assert [part.tolist() for part in blocks(5, 2)] == [[0, 1, 2], [3, 4]]
    assert len(blocks(3, 10)) == 3


def test_places_that_are_exact_copies_give_the_ratio_that_was_planted() -> None:
    rng = np.random.default_rng(4)
    past = rng.poisson(9, (10, 24)).astype(float)
    treated = past.copy()
    treated[:, 12:] *= 0.8
    counts = np.vstack([treated, past, rng.poisson(30, (6, 24))])
    made = calibrated(
        laid_out(make_panel(counts, [12] * 10 + [None] * 16)), parts=3, most=3.0, level=0.95
    )
    assert made.refusal is None
    assert made.unmet == ()
    assert made.log_ratio == pytest.approx(np.log(0.8), abs=0.12)


def test_weights_make_the_past_the_same_and_the_ratio_is_of_what_came_after(study) -> None:
    first = min(day for day in study.cohorts if day)
    rows = [i for i, day in enumerate(study.cohorts) if day in (None, first)]
    one = only(study, np.isin(np.arange(60), rows))
    made = calibrated(one, parts=2, most=10.0, level=0.95)
    others, own = ~one.patrolled, one.patrolled
    before = np.flatnonzero(one.before[own].all(axis=0))
    traits = np.column_stack(
        [one.counts[others][:, part].mean(axis=1) for part in (before, *np.array_split(before, 2))]
    )
    totals = np.array(
        [
            one.counts[own][:, part].mean(axis=1).sum()
            for part in (before, *np.array_split(before, 2))
        ]
    )
    weights = one_problem(traits, totals, float(own.sum()), 10.0).weights[0]
    after = np.flatnonzero(one.after[own].all(axis=0))
    expected = weights @ one.counts[others][:, after].sum(axis=1)
    assert made.observed == pytest.approx(one.counts[own][:, after].sum())
    assert made.expected == pytest.approx(expected, rel=1e-9)
    assert made.unmet == ()


def test_the_interval_is_a_jackknife_with_weights_found_anew(study) -> None:
    made = calibrated(study, parts=2, most=5.0, level=0.95)
    without = []
    for i in range(60):
        keep = np.ones(60, dtype=bool)
        keep[i] = False
        without.append(calibrated(only(study, keep), parts=2, most=5.0, level=0.95).log_ratio)
    spread = np.sqrt(59 / 60 * ((np.array(without) - made.log_ratio) ** 2).sum())
    assert made.spread is not None
    assert made.spread.standard_error == pytest.approx(spread, rel=1e-5)
    assert made.spread.degrees == 19


def test_features_add_up_as_well(study) -> None:
    area = np.linspace(1.0, 2.0, 60)
    made = calibrated(
        study, parts=1, most=10.0, level=0.95, features=area[:, None], feature_names=("area",)
    )
    plain = calibrated(study, parts=1, most=10.0, level=0.95)
    assert made.log_ratio != pytest.approx(plain.log_ratio, abs=1e-6)
    assert made.notes["totals_to_meet"] == 8
    far = calibrated(
        study, parts=1, most=1.5, level=0.95, feature_names=("area",),
        features=np.where(study.patrolled, 9.0, 1.0)[:, None],
    )  # fmt: skip
    assert any("area" in words for words in far.unmet) or "past" in str(far.refusal)


def test_no_comparison_no_past_no_event_are_said() -> None:
    rng = np.random.default_rng(5)
    counts = rng.poisson(5, (6, 24)).astype(float)

    def refusal(counts: np.ndarray, starts: list[int | None]) -> str:
        made = calibrated(laid_out(make_panel(counts, starts)), parts=2, most=5.0, level=0.95)
        assert made.refusal is not None
        assert made.spread is None
        return made.refusal

    assert "fewer than two comparison places" in refusal(counts, [12] * 5 + [None])
    assert "before and after" in refusal(counts, [0, 0, 0] + [None] * 3)
    none = counts.copy()
    none[:3, 12:] = 0
    assert "in the treated places" in refusal(none, [12] * 3 + [None] * 3)
    hot = counts.copy()
    hot[:3] *= 20
    assert "no comparison places are like them" in refusal(hot, [12] * 3 + [None] * 3)


def test_one_treated_place_has_no_interval() -> None:
    counts = np.random.default_rng(6).poisson(5, (9, 24)).astype(float)
    made = calibrated(
        laid_out(make_panel(counts, [12] + [None] * 8)), parts=2, most=9.0, level=0.95
    )
    assert made.refusal is None
    assert made.spread is None
    assert "One treated place" in made.limits[0]
