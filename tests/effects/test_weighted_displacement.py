"""Weighted Displacement Difference: published values, identities and a variance that holds."""

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from placeproof.effects.grid import grid
from placeproof.effects.weighted_displacement import difference, weighted_displacement
from tests.effects.panels import make_panel, simulate

AREAS = {"comparison": "control", "treated": "treated"}
RINGS = {"comparison_ring": "disp_control", "ring": "disp_treated"}


def targets(panel: pl.DataFrame):
    made = grid(panel, outcome="planted", hours="all", kinds=("hotspot", "comparison"))
    assert made is not None
    return made


def rings(panel: pl.DataFrame):
    made = grid(panel, outcome="planted", hours="all", kinds=("ring", "comparison_ring"))
    assert made is not None
    return made


def test_published_example() -> None:
    # The worked example of Wheeler and Ratcliffe (2018), Crime Science, as the tests of the R
    # package ptools quote it: difference −118, standard error √1568, z −2.98.
    estimate, variance = difference(
        {
            "treated": (207, 110),
            "comparison": (308, 318),
            "ring": (178, 157),
            "comparison_ring": (150, 140),
        },
        time_weights=(1, 1),
        area_weights=dict.fromkeys(("treated", "comparison", "ring", "comparison_ring"), 1.0),
    )
    assert (estimate, variance) == (-118.0, 1568.0)
    assert round(estimate / np.sqrt(variance), 2) == -2.98


def _pair(text: str) -> tuple[float, float]:
    before, after = text.split(";")
    return float(before), float(after)


@pytest.mark.shared_data
def test_worked_examples(shared_data: Path) -> None:
    rows = pl.read_csv(shared_data / "reference" / "wdd_worked_examples.csv")
    assert rows.height >= 4
    for row in rows.iter_rows(named=True):
        names = {k: v for k, v in (AREAS | RINGS).items() if row[v]}
        weights = str(row["weights"] or "")
        time = _pair(weights.removeprefix("time ")) if weights.startswith("time") else (1.0, 1.0)
        sizes = dict.fromkeys(names, 1.0)
        if weights.startswith("area"):
            given = [float(w) for w in weights.removeprefix("area ").split(";")]
            order = ("comparison", "treated", "comparison_ring", "ring")
            sizes = dict(zip(order, given, strict=True))
        estimate, variance = difference(
            {k: _pair(row[v]) for k, v in names.items()}, time_weights=time, area_weights=sizes
        )
        # The printed digits are the tolerance: the least precise entry has four decimals.
        assert estimate == pytest.approx(row["est_total"], abs=1e-8)
        assert np.sqrt(variance) == pytest.approx(row["se_total"], abs=5e-5)
        if row["low95"] is not None:
            ends = estimate + np.array([-1, 1]) * 1.959964 * np.sqrt(variance)
            assert ends == pytest.approx([row["low95"], row["high95"]], abs=0.5)


def test_counts_are_scaled_to_the_time_after_and_to_the_treated_places() -> None:
    # One treated place: 4 a month for 4 months, then 2 a month for 2; two comparison places
    # with 4 a month throughout. Over the 2 months after: −4.
    panel = make_panel([[4, 4, 4, 4, 2, 2], [4] * 6, [4] * 6], [4, None, None])
    assert weighted_displacement(targets(panel), [], level=0.95).difference == pytest.approx(-4.0)


def test_rings_add_and_comparison_rings_subtract() -> None:
    spots = make_panel([[4, 4, 4, 4], [4, 4, 4, 4]], [2, None])
    around = make_panel(
        [[1, 1, 3, 3], [1, 1, 2, 2]],
        [2, None],
        kinds=("ring", "comparison_ring"),
        prefix="r",
        targets=True,
    )
    made = weighted_displacement(targets(spots), [rings(around)], level=0.95)
    assert made.difference == pytest.approx(4.0 - 2.0)


def test_the_variance_is_never_below_poisson() -> None:
    panel = make_panel(np.full((6, 12), 5.0), [6, 6, 6, None, None, None])
    made = weighted_displacement(targets(panel), [], level=0.95)
    assert made.overdispersion == 1.0
    assert made.spread is not None
    assert made.spread.standard_error == pytest.approx(made.poisson_error)


def test_false_alarms_are_far_fewer_than_with_poisson_variance() -> None:
    world = dataclasses.replace(simulate.STRONG, rate_ratio=1.0)
    ours = poisson = 0
    for seed in range(60):
        made = weighted_displacement(targets(simulate.panel(world, seed)), [], level=0.95)
        assert made.spread is not None
        ours += not made.spread.lower <= 0 <= made.spread.upper
        poisson += abs(made.difference) > 1.96 * made.poisson_error
    assert poisson > 12
    # 99 % Monte Carlo interval of a 10 % rate in 60 studies ends at 13.
    assert ours <= 12


@pytest.mark.parametrize(
    ("starts", "why"),
    [
        ([2, 2], "No comparison place"),
        ([None, None], "No treated place"),
        ([0, None], "before the earliest start"),
    ],
)
def test_refusals(starts: list[int | None], why: str) -> None:
    panel = make_panel([[1, 2, 3, 4], [2, 2, 2, 2]], starts)
    made = weighted_displacement(targets(panel), [], level=0.95)
    assert made.refusal is not None
    assert why in made.refusal


def test_time_weights_enter_the_variance_squared() -> None:
    # By hand: (12/3 − 10/2) − (6/3 − 8/2) = 1; 12/9 + 10/4 + 6/9 + 8/4 = 6.5.
    made = difference(
        {"treated": (10, 12), "comparison": (8, 6)},
        time_weights=(2, 3),
        area_weights={"treated": 1.0, "comparison": 1.0},
    )
    assert made == pytest.approx((1.0, 6.5))
