"""The random-effects mean against R, and errors got back from what papers print."""

import math

import polars as pl
import pytest

from placeproof.effects.evidence import error_of_interval, error_of_p, random_effects
from tests.effects.panels import REFERENCE

SETS = pl.read_csv(REFERENCE / "effects_pooled.csv").to_dicts()


@pytest.mark.parametrize("row", SETS, ids=[row["set"] for row in SETS])
def test_the_mean_is_that_of_metafor(row: dict) -> None:
    effects, errors = ([float(x) for x in row[name].split()] for name in ("effects", "errors"))
    made = random_effects(effects, errors, level=0.95)
    assert made.between == pytest.approx(row["between"], abs=1e-6)
    for name in ("mean", "error", "lower", "upper"):
        assert getattr(made, name) == pytest.approx(row[name], abs=1e-5), name


def test_two_effects_have_no_mean() -> None:
    assert "no mean" in str(random_effects([0.1, 0.2], [0.1, 0.1], level=0.95).refusal)
    with pytest.raises(ValueError, match="above 0"):
        random_effects([0.1, 0.2, 0.3], [0.1, 0.1, 0.0], level=0.95)


def test_errors_come_back_from_intervals_and_p_values() -> None:
    ends = [math.exp(-0.2 - 1.959964 * 0.1), math.exp(-0.2 + 1.959964 * 0.1)]
    assert error_of_interval(*ends, level=0.95) == pytest.approx(0.1, abs=1e-6)
    assert error_of_p(math.exp(-0.2), 0.0455003) == pytest.approx(0.1, abs=1e-6)
