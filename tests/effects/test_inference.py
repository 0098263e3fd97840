"""Intervals, detectable effects and power agree with each other and with statsmodels."""

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from placeproof.effects.inference import detectable, jackknife, power


def test_power_agrees_with_statsmodels() -> None:
    # A one-sample t-test of n observations with effect d is a t with n − 1 and shift d·√n.
    for n, effect in ((5, 0.9), (20, 0.4), (60, 0.1)):
        expected = TTestPower().power(effect, nobs=n, alpha=0.05, alternative="two-sided")
        made = power(effect, 1 / np.sqrt(n), degrees=n - 1)
        assert made == pytest.approx(expected, abs=1e-9)


def test_no_distance_is_found_at_the_level_of_the_test() -> None:
    assert power(0.0, 1.0, degrees=9) == pytest.approx(0.05)


@pytest.mark.parametrize("degrees", [4, 19, 200])
def test_the_detectable_distance_is_found_about_four_times_in_five(degrees: int) -> None:
    # The sum of two t quantiles stands in for the non-central t: good to two points at 4 degrees.
    assert power(detectable(0.3, degrees=degrees), 0.3, degrees=degrees) == pytest.approx(
        0.80, abs=0.02
    )


def test_jackknife_of_a_mean_is_its_standard_error() -> None:
    values = np.random.default_rng(1).normal(size=30)
    without = (values.sum() - values) / 29
    made = jackknife(values.mean(), without, degrees=29, level=0.95)
    assert made.standard_error == pytest.approx(values.std(ddof=1) / np.sqrt(30), rel=1e-12)
