"""Bounds where trends part: another library, what they are made from, and when there are none."""

import builtins
import math
import warnings

import numpy as np
import polars as pl
import pytest
from scipy import stats

from placeproof.effects.grid import Grid, checked, grid
from placeproof.effects.robustness.honest import (
    Bound,
    Course,
    breakdown,
    course,
    relative_magnitudes,
    smoothness,
)
from placeproof.effects.robustness.honest_rows import honest_rows
from tests.effects.panels import REFERENCE, make_panel, simulate


def laid_out(panel) -> Grid:
    made = grid(checked(panel), outcome="planted", hours="all", kinds=("hotspot", "comparison"))
    assert made is not None
    return made


@pytest.fixture(scope="module")
def study() -> Grid:
    world = simulate.World(rate_ratio=0.5, rate=4.0, excess=0.02, wander=0.05)
    return laid_out(simulate.panel(world, 5))


@pytest.fixture(scope="module")
def made(study) -> Course:
    return course(study, weeks=13, lags=3, most_leads=3, level=0.95)


def test_the_course_is_a_ratio_of_ratios_against_the_step_before_the_start() -> None:
    rng = np.random.default_rng(3)
    counts = rng.poisson(8, (7, 24)).astype(float)
    made = course(
        laid_out(make_panel(counts, [12] * 3 + [None] * 4)), weeks=13, lags=4, most_leads=3,
        level=0.95,
    )  # fmt: skip
    assert made.steps == (-4, -3, -2, 0, 1, 2, 3)
    own, others = counts[:3].sum(axis=0), counts[3:].sum(axis=0)
    for step, value in zip(made.steps, made.log_ratios, strict=True):
        at, base = slice(12 + 3 * step, 15 + 3 * step), slice(9, 12)
        change = own[at].sum() / own[base].sum() / (others[at].sum() / others[base].sum())
        assert value == pytest.approx(math.log(change), abs=1e-9)


def test_the_covariance_is_the_jackknife_of_the_whole_course(study, made) -> None:
    from placeproof.effects.grid import only

    def values(keep: np.ndarray) -> np.ndarray:
        return course(
            only(study, keep), weeks=13, lags=3, most_leads=3, level=0.95
        ).log_ratios  # fmt: skip

    without = np.stack([values(np.arange(60) != i) for i in range(60)]) - made.log_ratios
    wide = (stats.t.ppf(0.975, 19) / stats.norm.ppf(0.975)) ** 2
    assert made.covariance == pytest.approx(59 / 60 * wide * without.T @ without, rel=1e-6)


def test_without_departure_relative_magnitudes_is_the_plain_interval(made) -> None:
    bound = relative_magnitudes(made, sizes=[0.0], level=0.95)[0]
    weights = np.r_[np.zeros(made.leads), np.full(made.lags, 1 / made.lags)]
    mean = float(weights @ made.log_ratios)
    reach = stats.norm.ppf(0.975) * math.sqrt(weights @ made.covariance @ weights)
    # The test sees the leads as well where they lie close to the mean; the grid has 1,000 points.
    assert bound.estimate == pytest.approx(mean)
    assert bound.lower == pytest.approx(mean - reach, abs=0.1 * reach)
    assert bound.upper == pytest.approx(mean + reach, abs=0.1 * reach)


def test_intervals_grow_with_the_departure_until_they_hold_no_effect(made) -> None:
    for bounds in (
        relative_magnitudes(made, sizes=[0.0, 0.5, 50.0, 60.0], level=0.95),
        smoothness(made, sizes=[0.0, 0.01, 5.0, 6.0], level=0.95),
    ):
        widths = [bound.upper - bound.lower for bound in bounds]
        assert widths == sorted(widths)
        assert bounds[-1].holds_no_effect
        assert not any(bound.holds_no_effect for bound in bounds[:-1])
        assert bounds[-1].size < 60
        assert breakdown(bounds) == bounds[-2].size


@pytest.mark.parametrize("size", [0.0, 0.01, 0.03])
def test_smoothness_agrees_with_another_library(made, size: float) -> None:
    from diff_diff import honest_did

    ours = smoothness(made, sizes=[size], level=0.95)[0]
    post = made.lags
    lower, upper = honest_did._compute_optimal_flci(
        made.log_ratios[:-post], made.log_ratios[-post:], made.covariance,
        np.full(post, 1 / post), made.leads, post, size,
    )  # fmt: skip
    # Both search for the best length on a grid of their own.
    assert ours.lower == pytest.approx(lower, abs=0.02 * (upper - lower))
    assert ours.upper == pytest.approx(upper, abs=0.02 * (upper - lower))


def test_relative_magnitudes_by_a_slow_look_at_the_identified_set() -> None:
    """With next to no error the interval is the identified set, which can be written down."""
    leads, lags = np.array([0.10, 0.04]), np.array([-0.5, -0.6])
    made = Course((-3, -2, 0, 1), np.r_[leads, lags], 1e-8 * np.eye(4), 20)
    most = max(abs(0.04 - 0.10), abs(0.0 - 0.04))
    bound = relative_magnitudes(made, sizes=[0.5], level=0.95)[0]
    # Departures after the start of at most half of the most a step: 1 and 2 steps, averaged.
    assert bound.lower == pytest.approx(-0.55 - 0.5 * most * 1.5, abs=0.003)
    assert bound.upper == pytest.approx(-0.55 + 0.5 * most * 1.5, abs=0.003)


def published() -> Course:
    """The event study of the authors' README, 2013 the base."""
    rows = pl.read_csv(REFERENCE / "effects_honest.csv", comment_prefix="#")
    values = {what: part["value"].to_numpy() for (what,), part in rows.group_by("what")}
    steps = (-6, -5, -4, -3, -2, 0, 1)
    return Course(steps, values["log_ratio"], values["covariance"].reshape(7, 7), 20)


def test_relative_magnitudes_of_the_authors_example() -> None:
    """Their hybrid test on their grid; ours is the conditional test on a grid of our own."""
    known = {0.5: (0.0321, 0.0798), 2.0: (-0.0085, 0.1172)}
    bounds = relative_magnitudes(published(), sizes=sorted(known), level=0.95)
    assert breakdown(bounds) == 0.5
    for bound in bounds:
        assert (bound.lower, bound.upper) == pytest.approx(known[bound.size], abs=0.001)


def test_smoothness_of_the_authors_example() -> None:
    """Of the first year after the start alone."""
    whole = published()
    first = Course(whole.steps[:6], whole.log_ratios[:6], whole.covariance[:6, :6], 20)
    known = {0.0: (0.0259, 0.0607), 0.01: (0.0132, 0.0787), 0.02: (0.0029, 0.0907),
             0.03: (-0.0071, 0.1007)}  # fmt: skip
    for bound in smoothness(first, sizes=sorted(known), level=0.95):
        assert (bound.lower, bound.upper) == pytest.approx(known[bound.size], abs=0.0015)


def test_breakdown_is_the_last_size_that_leaves_no_effect_out() -> None:
    def bound(size: float, upper: float) -> Bound:
        return Bound(size, -0.5, -1.0, upper)

    assert breakdown([bound(0, -0.2), bound(0.5, -0.1), bound(1, 0.1)]) == 0.5
    assert breakdown([bound(0, 0.2), bound(0.5, 0.3)]) is None
    assert breakdown([bound(0, -0.2), bound(0.5, math.inf)]) == 0
    assert breakdown([bound(0, -0.2)]) == 0


def rows_of(table: Grid) -> list[dict]:
    return honest_rows(
        {"method": "honest_did"}, table, weeks=13, lags=4, most_leads=4, relative=(0.5,),
        smooth=(0.01,), level=0.95,
    )  # fmt: skip


def test_what_the_bounds_need_is_said_where_it_is_missing() -> None:
    counts = np.random.default_rng(8).poisson(8, (7, 24)).astype(float)
    starts: list[int | None] = [12] * 3 + [None] * 4
    gap = counts.copy()
    gap[:, 9:12] = np.nan
    for said, panel in (
        ("never patrolled", make_panel(counts, [12] * 3 + [15] * 4)),
        ("have no base", make_panel(gap, starts)),
        ("no step before the base", make_panel(counts[:, 9:], [3] * 3 + [None] * 4)),
        ("One treated place", make_panel(counts, [12] + [None] * 6)),
    ):
        rows = rows_of(laid_out(panel))
        assert len(rows) == 1
        assert rows[0]["status"] == "not_identified"
        assert said in rows[0]["reason"]


def test_without_the_library_one_sentence_says_what_to_type(study, monkeypatch) -> None:
    real = builtins.__import__

    def absent(name, *args, **kwargs):
        if name == "cvxpy" or name.startswith("moderndid"):
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    rows = rows_of(study)
    assert [row["status"] for row in rows] == ["not_supplied"]
    assert "pip install 'placeproof[robustness]'" in rows[0]["reason"]


def test_rows_name_their_size_and_the_breakdown(study) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = rows_of(study)
    sizes = [row["horizon"] for row in rows if row["estimand"] == "rate_ratio"]
    assert {"relative_magnitudes=0", "smoothness=0"} <= set(sizes)
    found = {row["method"]: row for row in rows if row["estimand"] == "breakdown_value"}
    assert set(found) == {"honest_relative_magnitudes", "honest_smoothness"}
    for row in rows:
        if row["estimand"] == "rate_ratio":
            assert row["lower"] <= row["estimate"] <= row["upper"]
