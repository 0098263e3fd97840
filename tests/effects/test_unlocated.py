"""Bounds for events without a location: identities, known truth, and the tipping point."""

import numpy as np
import polars as pl
import pytest

from placeproof.effects import PlannedOutcome
from placeproof.effects.effect import overall
from placeproof.effects.grid import grid
from placeproof.effects.unlocated import bounded, extreme, weighted
from tests.effects.panels import make_panel, month

PLAN = {"planted": PlannedOutcome("RQ1", "Planted crimes", None, "headline")}
STARTS: list[int | None] = [12] * 5 + [None] * 9


def study(ratio: float = 0.8, seed: int = 1) -> pl.DataFrame:
    mean = np.random.default_rng(seed).gamma(9, 2, (14, 1)) * np.ones((14, 36))
    mean[:5, 12:] *= ratio
    return make_panel(np.random.default_rng(seed + 1).poisson(mean), STARTS)


def totals(located: float, unlocated: float) -> dict[str, pl.DataFrame]:
    frame = pl.DataFrame(
        {
            "period_start": [month(k) for k in range(36)],
            "located": [located] * 36,
            "unlocated": [unlocated] * 36,
        }
    )
    return {"planted": frame}


def made(panel: pl.DataFrame, *, unlocated: float, odds: float = 2.0) -> dict[str, dict]:
    rows = bounded(
        panel, outcomes=PLAN, totals=totals(1000.0, unlocated), odds=odds, level=0.95
    ).to_dicts()
    return {row["horizon"] if row["estimand"] == "rate_ratio" else row["estimand"]: row
            for row in rows}  # fmt: skip


def laid_out(panel: pl.DataFrame):
    table = grid(panel, outcome="planted", hours="all", kinds=("hotspot", "comparison"))
    assert table is not None
    return table


def test_in_proportion_changes_nothing_where_the_share_is_the_same_in_every_period() -> None:
    panel = study()
    rows = made(panel, unlocated=80.0)
    headline = overall(laid_out(panel), level=0.95)
    same = rows["unlocated=proportional"]
    assert same["estimate"] == pytest.approx(np.exp(headline.log_ratio), rel=1e-9)
    assert same["lower"] == pytest.approx(np.exp(headline.spread.lower), rel=1e-6)  # type: ignore[union-attr]


def test_bounds_are_in_order_and_moderate_ones_are_what_a_hand_makes() -> None:
    panel = study()
    rows = made(panel, unlocated=80.0, odds=3.0)
    order = [rows[f"unlocated={name}"]["estimate"]
             for name in ("lowest", "fewer", "proportional", "more", "highest")]  # fmt: skip
    assert order == sorted(order)
    table = laid_out(panel)
    counts = table.counts.copy()
    for t in range(36):
        ours = counts[:5, t].sum() if t >= 12 else 0.0
        share = 80.0 / (1000.0 + 2 * ours)
        counts[5:, t] *= 1 + share
        counts[:5, t] *= 1 + (3 * share if t >= 12 else share)
    by_hand = overall(laid_out(make_panel(counts, STARTS)), level=0.95)
    assert rows["unlocated=more"]["estimate"] == pytest.approx(np.exp(by_hand.log_ratio), rel=1e-9)


def test_what_is_given_is_what_was_there() -> None:
    table = laid_out(study())
    unlocated = np.linspace(5, 40, 36)
    for highest in (True, False):
        given = extreme(table, unlocated, highest=highest).counts - table.counts
        assert given.sum(axis=0) == pytest.approx(unlocated)
        assert (given[:5, 12:].sum() > 0) == highest
    whole = table.counts.sum(axis=0)
    given = weighted(table, whole, unlocated, odds=4.0).counts - table.counts
    assert given.sum(axis=0) == pytest.approx(unlocated)


@pytest.mark.parametrize("ratio", [0.8, 1.25])
def test_at_the_tipping_odds_nothing_is_left(ratio: float) -> None:
    panel = study(ratio)
    row = made(panel, unlocated=300.0)["tipping_odds"]
    table = laid_out(panel)
    at = weighted(table, np.full(36, 1000.0), np.full(36, 300.0), odds=row["estimate"])
    assert overall(at, level=0.95).log_ratio == pytest.approx(0.0, abs=1e-6)
    assert (row["estimate"] > 1) == (ratio < 1)


@pytest.mark.parametrize(("ratio", "words"), [(0.5, "stay below 1"), (2.0, "stay above 1")])
def test_where_no_odds_tip_it_the_row_says_so(ratio: float, words: str) -> None:
    row = made(study(ratio), unlocated=2.0)["tipping_odds"]
    assert row["status"] == "not_identified"
    assert words in row["reason"]


def test_nothing_to_bound_gives_no_row_and_odds_below_one_are_refused() -> None:
    assert made(study(), unlocated=0.0) == {}
    assert made(make_panel([[None] * 36] * 14, STARTS), unlocated=5.0) == {}
    with pytest.raises(ValueError, match="at least 1"):
        made(study(), unlocated=1.0, odds=0.5)


def test_one_treated_place_has_bounds_without_intervals() -> None:
    counts = np.random.default_rng(2).poisson(9, size=(6, 24)).astype(float)
    rows = bounded(
        make_panel(counts, [12, *[None] * 5]), outcomes=PLAN, totals=totals(500.0, 10.0),
        odds=2.0, level=0.95,
    )  # fmt: skip
    assert rows.filter(estimand="rate_ratio")["lower"].null_count() == 5
    assert rows.filter(estimand="rate_ratio")["estimate"].null_count() == 0
