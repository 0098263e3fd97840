"""Two-way Poisson against R's glm and sandwich."""

import warnings

import numpy as np
import pytest

from placeproof.effects.grid import grid
from placeproof.effects.two_way import two_way
from tests.effects.panels import make_panel


def laid_out(panel):
    return grid(panel, outcome="planted", hours="all", kinds=("hotspot", "comparison"))


def test_agrees_with_r(invented, r_values) -> None:
    made = two_way(laid_out(invented), level=0.95)
    assert made.cells == r_values["two_way_rows"]
    assert made.log_ratio == pytest.approx(r_values["two_way_log_ratio"], abs=1e-6)
    # pyfixest multiplies by G/(G−1) and by (n−1)/(n−k), k without the effects nested in clusters:
    # here the coefficient and 23 periods less the one that the places' constant takes up.
    n, clusters = r_values["two_way_rows"], 14
    k = 1 + 23
    factor = np.sqrt(clusters / (clusters - 1) * (n - 1) / (n - k))
    expected = r_values["two_way_cluster_error_unadjusted"] * factor
    assert made.spread is not None
    assert made.spread.standard_error == pytest.approx(expected, rel=1e-6)


def test_no_warning_reaches_the_user(invented) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        two_way(laid_out(invented), level=0.95)


def test_places_and_periods_without_events_are_counted_as_separated() -> None:
    counts = np.random.default_rng(1).poisson(3, size=(8, 12)).astype(float)
    counts[7] = 0
    counts[:, 4] = 0
    made = two_way(laid_out(make_panel(counts, [6, 6, 6, None, None, None, None, None])), level=0.9)
    assert made.separated == 12 + 7
    assert made.places == 7
    assert made.refusal is None


@pytest.mark.parametrize(
    ("counts", "starts", "why"),
    [
        ([[0.0] * 4] * 4, [2, 2, None, None], "No event"),
        ([[1, 2, 3, 4]] * 4, [2, 2, 2, 2], "Places and periods alone"),
        ([[1, 2, 3, 4]] * 2, [2, None], "Fewer than three places"),
        ([[1, 2, 0, 0], [2, 1, 0, 0], [1, 1, 1, 2], [2, 1, 2, 1]], [2, 2, None, None], "one side"),
    ],
)
def test_refusals(counts, starts, why) -> None:
    made = two_way(laid_out(make_panel(counts, starts)), level=0.95)
    assert made.refusal is not None
    assert why in made.refusal
