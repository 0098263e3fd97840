"""Concentration against R, published values, identities and a city with planted concentration."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from placeproof.hotspots import concentration, gini_corrected, lorenz, persistence, top_share

REFERENCE = Path(__file__).parents[1] / "reference" / "hotspots_concentration.csv"
WINDOW = (date(2020, 7, 1), date(2021, 6, 30))
VECTORS = {
    "vignette_dense": [22, 18, 17, 12, 11, 8, 6, 3, 2, 1],
    "vignette_sparse": [3, 1, 1, 0, 0, 0, 0, 0, 0, 0],
    "all_in_one": [7] + [0] * 99,
    "each_alone": [1] * 5 + [0] * 15,
    "equal": [4] * 6,
}
ABOUT = {
    "outcome": "robbery",
    "outcome_label": "Robbery",
    "definition_edition": None,
    "feeds": "crime",
}


def _describe(counts: pl.DataFrame, top: list[int]) -> pl.DataFrame:
    return concentration(counts, top=top, population="cells", window=WINDOW, **ABOUT)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_gini_agrees_with_r(name: str) -> None:
    reference = pl.read_csv(REFERENCE, comment_prefix="#")
    values = VECTORS[name]
    wanted = dict(reference.filter(pl.col("item") == name).select("figure", "value").rows())
    # Closed forms on ten numbers: only rounding differs.
    assert gini_corrected(values, events=sum(values)) == pytest.approx(
        wanted["gini_corrected"], abs=1e-12
    )
    dense = gini_corrected(values, events=max(sum(values), len(values)))
    assert dense == pytest.approx(wanted["gini_plain"], abs=1e-12)


def test_gini_of_the_published_example() -> None:
    # Vignette of lorenzgini: ten places, 3 + 1 + 1 crimes, G = .78.
    assert gini_corrected(VECTORS["vignette_sparse"], events=10) == pytest.approx(0.78)


def test_fewer_crimes_spread_as_evenly_are_as_concentrated() -> None:
    # The example in words of the same vignette: ten robberies in ten areas, then five in five.
    assert gini_corrected([1] * 10, events=10) == pytest.approx(0)
    assert gini_corrected([1] * 5 + [0] * 5, events=5) == pytest.approx(0)


def test_lorenz_curve_ends_at_one_and_stays_at_or_above_the_most_equal() -> None:
    curve = lorenz(VECTORS["vignette_sparse"], events=5)
    assert curve.row(0) == (0.0, 0.0, 0.0)
    assert curve.row(-1) == (1.0, 1.0, 1.0)
    assert curve["most_equal"].to_list()[:6] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert (curve["share_of_events"] >= curve["most_equal"] - 1e-12).all()
    assert lorenz([0, 0], events=0).is_empty()


@pytest.mark.parametrize("seed", range(5))
def test_planted_concentration_is_found_within_one_point(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chance = np.full(5000, 0.70 / 4976)
    chance[:24] = 0.30 / 24
    events = rng.choice(5000, size=60_000, p=chance)
    counts = np.bincount(rng.permutation(5000)[events], minlength=5000).astype(float)
    assert top_share(counts, top=24) == pytest.approx(0.30, abs=0.01)
    rows = _describe(pl.DataFrame({"count": counts, "events": counts.astype(int)}), [24])
    shares = rows.filter(pl.col("estimand") == "top_share")
    assert shares.select("horizon", "n_events").row(0) == ("top=24", 60_000.0)
    assert shares["estimate"][0] == pytest.approx(0.30, abs=0.01)


def test_order_of_places_changes_nothing_and_weight_two_equals_the_row_twice() -> None:
    values = np.array(VECTORS["vignette_dense"])
    assert top_share(values[::-1], top=3) == top_share(values, top=3) == pytest.approx(0.57)
    assert gini_corrected(values * 2.0, events=200) == pytest.approx(
        gini_corrected(values, events=100)
    )


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        ([], "not_identified"),
        ([0.0, 0.0], "not_identified"),
        ([None, None], "not_supplied"),
        ([3.0], "estimated"),
        ([0.0, 3.0, None], "estimated"),
    ],
)
def test_nothing_to_concentrate_is_said(counts: list[float | None], status: str) -> None:
    frame = pl.DataFrame(
        {"count": counts, "events": [int(c or 0) for c in counts]},
        schema={"count": pl.Float64, "events": pl.Int64},
    )
    rows = _describe(frame, [1])
    assert set(rows["status"]) == {status}
    assert len(rows) == 3
    assert status == "estimated" or rows["reason"].null_count() == 0


def test_still_the_hottest() -> None:
    windows = (WINDOW, (date(2022, 7, 1), date(2023, 6, 30)))
    before = pl.DataFrame({"place_id": ["A", "B", "C", "D"], "count": [40.0, 30.0, 20.0, 10.0]})
    after = pl.DataFrame({"place_id": ["D", "C", "B", "A"], "count": [5.0, 25.0, 15.0, 35.0]})
    rows = persistence(before, after, hotspot_ids=["A", "B"], windows=windows, **ABOUT)  # type: ignore[arg-type]
    got = {(r["estimand"], r["horizon"]): r["estimate"] for r in rows.to_dicts()}
    assert got == {
        ("rank_before", "hotspot=A"): 1.0,
        ("rank_after", "hotspot=A"): 1.0,
        ("rank_before", "hotspot=B"): 2.0,
        ("rank_after", "hotspot=B"): 3.0,
        ("share_still_among_hottest", "all"): 0.5,
        # Spearman: 1 - 6 * (0 + 1 + 1 + 0) / (4 * 15)
        ("rank_correlation", "all"): pytest.approx(0.8),
    }
    assert set(rows["role"]) == {"description"}


def test_persistence_of_nothing_is_not_identified() -> None:
    none = pl.DataFrame(schema={"place_id": pl.String, "count": pl.Float64})
    rows = persistence(none, none, hotspot_ids=[], windows=(WINDOW, WINDOW), **ABOUT)  # type: ignore[arg-type]
    assert rows["status"].to_list() == ["not_identified"] * 2
