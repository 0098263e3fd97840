"""Comparison places: where candidates may lie, how they are matched, and worlds without effect."""

from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import pytest
import shapely

from placeproof.errors import IdentificationError, SettingsError
from placeproof.hotspots import (
    balance,
    candidates,
    match,
    matched_places,
    places,
    split_periods,
)

from .conftest import box, points

Make = Callable[..., pl.DataFrame]
AREA = shapely.to_wkb(shapely.box(458_000, 304_000, 460_000, 306_000))
MONTHS = [date(2020, m, 1) for m in range(1, 13)]
WINDOW = (MONTHS[0], date(2020, 12, 31))


def _history(counts: dict[str, list[float]], months: list[date] = MONTHS) -> pl.DataFrame:
    return pl.DataFrame(
        [(p, m, float(c)) for p, row in counts.items() for m, c in zip(months, row, strict=True)],
        schema={"place_id": pl.String, "period_start": pl.Date, "count": pl.Float64},
        orient="row",
    )


def _candidates(hotspot: Make, **changes: object) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    settings: dict[str, object] = {
        "area_wkb": AREA,
        "treated": places(hotspot("H", box(900, 900)), day=date(2022, 1, 1)),
        "side_m": 200.0,
        "offset_m": (0.0, 0.0),
        "excluded_within_m": 250.0,
        "least_events": 1,
    }
    events = points(*map(tuple, rng.uniform(0, 2000, (900, 2))))
    return candidates(events, **(settings | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("offset", [(0.0, 0.0), (150.0, 50.0)])
def test_candidates_keep_clear_of_hot_spots_rings_and_each_other(
    hotspot: Make, offset: tuple[float, float]
) -> None:
    found = _candidates(hotspot, offset_m=offset)
    shapes = shapely.from_wkb(found["geometry"].to_list())
    assert min(box(900, 900).distance(s) for s in shapes) >= 250
    assert sum(s.area for s in shapes) == pytest.approx(shapely.union_all(shapes).area)
    assert 50 < len(found) < 100
    assert set(found["kind"]) == set(found["group"]) == {"comparison"}
    assert found["first_treated"].null_count() == len(found)
    # A tile belongs to the area if its own centre does, wherever the grid lies.
    assert shapely.contains(shapely.from_wkb(AREA), shapely.centroid(shapes)).all()
    assert min(s.bounds[0] for s in shapes) == (457_950 if offset[0] == 150 else 458_000)
    corner = shapes[0].bounds[:2]
    assert (corner[0] - 458_000) % 200 == offset[0]


def test_touching_tile_is_excluded_even_without_rings(hotspot: Make) -> None:
    treated = places(hotspot("H", box(800, 800)), day=date(2022, 1, 1))
    found = _candidates(hotspot, treated=treated, excluded_within_m=0.0)
    shapes = shapely.from_wkb(found["geometry"].to_list())
    assert min(box(800, 800).distance(s) for s in shapes) > 0


def test_no_candidate_where_nothing_happened_or_everything_is_excluded(hotspot: Make) -> None:
    assert _candidates(hotspot, least_events=500).is_empty()
    assert _candidates(hotspot, excluded_within_m=5000.0).is_empty()
    with pytest.raises(SettingsError, match="shifted"):
        _candidates(hotspot, offset_m=(200.0, 0.0))


def test_history_is_dealt_out_and_every_period_used_once() -> None:
    matched, base = split_periods([*MONTHS[::-1], MONTHS[0]])
    assert matched == MONTHS[::2]
    assert base == MONTHS[1::2]


def test_equal_history_is_found_and_no_candidate_serves_twice() -> None:
    rising = [float(m) for m in range(1, 13)]
    treated = _history({"H1": [6.0] * 12, "H2": rising, "H3": [20.0] * 12})
    pool = _history(
        {
            "a": [19.0] * 12,
            "b": rising[::-1],  # the same level, the other shape
            "c": rising,
            "d": [6.0] * 12,
            "e": [6.0, 7.0] * 6,
        }
    )
    level_and_shape = match(treated, pool, per_hotspot=1, shape_weight=1.0, widest_distance=None)
    assert level_and_shape.select("target_id", "place_id").rows() == [
        ("H1", "d"),
        ("H2", "c"),
        ("H3", "a"),
    ]
    assert level_and_shape["distance"].to_list()[:2] == [0.0, 0.0]
    # 2 sqrt(240.375) - 2 sqrt(228.375) = 0.784…
    assert level_and_shape["level_distance"][2] == pytest.approx(
        2 * 240.375**0.5 - 2 * 228.375**0.5
    )
    shuffled = match(
        treated.sample(fraction=1.0, shuffle=True, seed=1),
        pool.sample(fraction=1.0, shuffle=True, seed=2),
        per_hotspot=1,
        shape_weight=1.0,
        widest_distance=None,
    )
    assert shuffled.equals(level_and_shape)
    narrow = match(treated, pool, per_hotspot=1, shape_weight=1.0, widest_distance=0.5)
    assert narrow["target_id"].to_list() == ["H1", "H2"]


def test_too_few_candidates_are_said_and_none_is_refused() -> None:
    treated = _history({"H1": [6.0] * 12, "H2": [9.0] * 12})
    pool = _history({"a": [6.0] * 12, "b": [9.0] * 12, "c": [1.0] * 12})
    made = match(treated, pool, per_hotspot=2, shape_weight=0.0, widest_distance=None)
    assert len(made) == 3
    assert made["place_id"].n_unique() == 3
    rows = balance(
        treated, pool, made, wanted=4, definition_edition=None, window=WINDOW, feeds="crime"
    )
    count = rows.filter(pl.col("estimand") == "matched_places")
    assert count["reason"][0] == "4 comparison places were wanted, 3 were found."
    with pytest.raises(IdentificationError, match="no candidate"):
        match(treated, pool.clear(), per_hotspot=1, shape_weight=0, widest_distance=None)
    with pytest.raises(IdentificationError, match="no hot spot"):
        match(treated.clear(), pool, per_hotspot=1, shape_weight=0, widest_distance=None)
    missing = pool.with_columns(count=pl.lit(None, dtype=pl.Float64))
    with pytest.raises(IdentificationError, match="no period"):
        match(treated, missing, per_hotspot=1, shape_weight=0, widest_distance=None)
    with pytest.raises(SettingsError, match="per_hotspot"):
        match(treated, pool, per_hotspot=0, shape_weight=0, widest_distance=None)


def test_balance_is_the_difference_over_the_mean_spread() -> None:
    treated = _history({"H1": [10.0] * 12, "H2": [14.0] * 12})
    pool = _history({"a": [10.0] * 12, "b": [12.0] * 12, "c": [0.0] * 12, "d": [2.0] * 12})
    made = match(treated, pool, per_hotspot=1, shape_weight=0.0, widest_distance=None)
    rows = balance(
        treated, pool, made, wanted=2, definition_edition=None, window=WINDOW, feeds="crime"
    )
    level = rows.filter(pl.col("outcome") == "history_level")
    got = dict(level.select("horizon", "estimate").rows())
    # Variances by hand: hot spots 8; all candidates mean 6, variance 104 / 3; matched 11 and 2.
    assert got["before matching"] == pytest.approx(6 / ((8 + 104 / 3) / 2) ** 0.5)
    assert got["after matching"] == pytest.approx(1 / ((8 + 2) / 2) ** 0.5)
    assert level.filter(pl.col("horizon") == "before matching")["reason"][0] is not None


def test_balance_sees_trends_in_any_order_of_rows() -> None:
    rising, falling = [float(m) for m in range(1, 13)], [float(m) for m in range(12, 0, -1)]
    treated = _history({"H1": rising, "H2": [2 * c for c in rising]})
    pool = _history({"a": falling, "b": [2 * c for c in falling], "c": [6.5] * 12})

    def trend(own: pl.DataFrame, other: pl.DataFrame) -> float:
        made = match(own, other, per_hotspot=1, shape_weight=0.0, widest_distance=None)
        rows = balance(
            own, other, made, wanted=2, definition_edition=None, window=WINDOW, feeds="crime"
        )
        here = (pl.col("outcome") == "history_trend") & (pl.col("horizon") == "before matching")
        return rows.filter(here)["estimate"][0]

    # Slopes over levels: 1 / 6.5 twice against -1 / 6.5 twice and 0.
    slopes = np.array([-1, -1, 0]) / 6.5
    expected = (1 / 6.5 - slopes.mean()) / (slopes.var(ddof=1) / 2) ** 0.5
    assert trend(treated, pool) == pytest.approx(expected)
    backwards = treated.reverse(), pool.reverse()
    assert trend(*backwards) == pytest.approx(expected)


def test_matched_places_name_their_hot_spot(hotspot: Make) -> None:
    found = _candidates(hotspot)
    ids = found["place_id"].to_list()
    pool = _history({p: [float(i % 7)] * 12 for i, p in enumerate(ids)})
    made = match(
        _history({"H": [3.0] * 12}), pool, per_hotspot=2, shape_weight=0.5, widest_distance=None
    )
    kept = matched_places(found, made)
    assert kept["target_id"].to_list() == ["H", "H"]
    assert kept["place_id"].to_list() == sorted(made["place_id"].to_list())
    assert matched_places(found, made.clear()).is_empty()


def _log_ratio(after: np.ndarray, before: np.ndarray, hot: np.ndarray, other: np.ndarray) -> float:
    change = np.log(after[hot].sum() / before[hot].sum())
    return float(change - np.log(after[other].sum() / before[other].sum()))


def _null_world(rng: np.random.Generator) -> dict[str, float]:
    """Steady places, the 24 hottest of one year chosen, matched on the two years before it."""
    rate = rng.gamma(0.5, 2.0, 800)
    history, selection, after = (rng.poisson(rate, (n, 800)).T for n in (24, 12, 24))
    hot = np.argsort(-selection.sum(axis=1), kind="stable")[:24]
    rest = np.setdiff1d(np.arange(800), hot)
    months = [date(2018 + m // 12, m % 12 + 1, 1) for m in range(24)]
    to_match, base = split_periods(months)

    def matched(periods: list[date]) -> np.ndarray:
        columns = [months.index(p) for p in periods]
        made = match(
            _history({f"{i:04d}": list(history[i, columns]) for i in hot}, periods),
            _history({f"{i:04d}": list(history[i, columns]) for i in rest}, periods),
            per_hotspot=2,
            shape_weight=0.0,
            widest_distance=None,
        )
        return np.array([int(p) for p in made["place_id"]])

    held_out = matched(to_match)
    base_columns = [months.index(p) for p in base]
    later = after.sum(axis=1)
    return {
        "held out": _log_ratio(later, history[:, base_columns].sum(axis=1), hot, held_out),
        "matched history as baseline": _log_ratio(later, history.sum(axis=1), hot, matched(months)),
        "selection as baseline": _log_ratio(later, selection.sum(axis=1), hot, held_out),
    }


def test_worlds_without_effect_give_none_unless_the_selection_window_is_the_baseline() -> None:
    rng = np.random.default_rng(20_210_719)
    worlds = [_null_world(rng) for _ in range(60)]
    median = {k: float(np.median([w[k] for w in worlds])) for k in worlds[0]}
    assert abs(median["held out"]) < 0.02
    # Regression to the mean: without any patrols the chosen places fall after their selection.
    assert median["selection as baseline"] < -0.03
    # Its mirror image: places that match by luck fall afterwards, too.
    assert median["matched history as baseline"] > median["held out"]
