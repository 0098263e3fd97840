"""Harm: the headline's estimator on sums of weights."""

import numpy as np
import polars as pl
import pytest

from placeproof.effects.effect import overall
from placeproof.effects.first_set import SPOTS
from placeproof.effects.grid import checked, grid
from placeproof.effects.harm import Weighed, harm_effects
from placeproof.effects.rows import PlannedOutcome
from tests.effects.panels import make_panel


def spots() -> pl.DataFrame:
    """Three hot spots from month 6 on, four comparison places, some months of none."""
    counts = np.random.default_rng(4).poisson(6.0, (7, 14)).astype(float)
    counts[1, 3] = 0.0
    return make_panel(counts, [6, 6, 8, None, None, None, None], outcome="crime")


def weighed(limits: str | None = None) -> Weighed:
    planned = PlannedOutcome("RQ2", "Harm of crime, edition 1", "harm@edition 1:abc", "beside")
    return Weighed(planned, "harm days", 640.0, limits)


def made(panel: pl.DataFrame, limits: str | None = None) -> dict[tuple[str, str], dict]:
    rows = harm_effects(panel, outcomes={"crime": weighed(limits)}, level=0.95)
    return {(row["estimand"], row["method"]): row for row in rows.to_dicts()}


RATIO = ("harm_rate_ratio", "poisson_imputation_jackknife")
PREVENTED = ("harm_prevented", "poisson_imputation_jackknife")


def test_weights_of_one_give_the_effect_on_counts() -> None:
    panel = spots()
    rows, counts = made(panel), grid(checked(panel), outcome="crime", hours="all", kinds=SPOTS)
    assert counts is not None
    effect = overall(counts, level=0.95)
    assert effect.spread is not None
    ratio = rows[RATIO]
    assert ratio["estimate"] == pytest.approx(2.718281828459045**effect.log_ratio, abs=1e-12)
    assert ratio["standard_error"] == pytest.approx(effect.spread.standard_error, abs=1e-12)
    assert rows[PREVENTED]["estimate"] == pytest.approx(effect.imputed - effect.observed)


def test_the_unit_of_the_index_scales_what_was_prevented_and_not_the_ratio() -> None:
    plain, scaled = made(spots()), made(spots().with_columns(pl.col("count") * 365))
    for name in ("estimate", "lower", "upper", "p_value", "minimum_detectable_effect"):
        assert scaled[RATIO][name] == pytest.approx(plain[RATIO][name], rel=1e-7)
    for name in ("estimate", "lower", "upper"):
        assert scaled[PREVENTED][name] == pytest.approx(365 * plain[PREVENTED][name], rel=1e-7)
    assert scaled[PREVENTED]["unit"] == "harm days"


def test_what_the_index_lacks_and_the_crimes_behind_it_stand_beside_the_result() -> None:
    ratio = made(spots(), "3 crimes are left out.")[RATIO]
    assert ratio["reason"] == "3 crimes are left out."
    assert ratio["n_events"] == 640.0
    assert ratio["role"] == "beside"


def test_without_harm_anywhere_there_is_a_sentence_and_no_number() -> None:
    ratio = made(spots().with_columns(count=pl.lit(0.0)))[RATIO]
    assert ratio["status"] == "not_identified"
    assert ratio["estimate"] is None
    assert ratio["reason"]
