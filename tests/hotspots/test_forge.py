"""Many sets: where their places may lie, that they are counted right, and how they are chosen."""

from dataclasses import replace
from datetime import date
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import pytest
import shapely

from placeproof.hotspots import (
    Ground,
    Matching,
    balance_of_sets,
    candidate_pool,
    features_of,
    forged,
    gathered,
    match,
)
from placeproof.hotspots.comparison import paired
from placeproof.hotspots.forge import KINDS, chosen, squared_distances
from placeproof.hotspots.translation import apart, moved
from placeproof.study.effect_keys import FORGE_KINDS

from .conftest import box

AREA = shapely.box(458_000, 304_000, 464_000, 310_000)
MONTHS = [date(2020, m, 1) for m in range(1, 7)]
RING_M = 250.0
PLAIN = Matching(per_hotspot=2, shape_weight=1.0, feature_weight=1.0)
NO_FEATURES = features_of(None, names=(), areas=None, reach_m=0.0)
L_SHAPE = shapely.Polygon([(0, 0), (180, 0), (180, 60), (60, 60), (60, 150), (0, 150)])


def _events(rng: np.random.Generator, n: int = 6000) -> pl.DataFrame:
    at = np.round(rng.uniform(0, 6000, (n, 2)))
    return pl.DataFrame(
        {
            "easting_m": 458_000.0 + at[:, 0],
            "northing_m": 304_000.0 + at[:, 1],
            "month": [MONTHS[i] for i in rng.integers(0, 6, n)],
        }
    )


def _monthly(events: pl.DataFrame) -> pl.DataFrame:
    return events.select(
        event=pl.int_range(pl.len(), dtype=pl.UInt32), period_start="month", amount=1.0
    )


def _ground(seed: int = 1, **changes: Any) -> Ground:
    events = _events(np.random.default_rng(seed))
    history = gathered(events, _monthly(events), periods=MONTHS)
    outlines = np.array(
        [box(900, 900), box(3000, 3100, 150), moved(L_SHAPE, np.array([[461_500, 306_000]]))[0]],
        dtype=object,
    )
    made = Ground(
        history=history,
        area_wkb=shapely.to_wkb(AREA),
        outlines=outlines,
        own=history.counted(outlines),
        forbidden=outlines,
        excluded_within_m=RING_M,
        side_m=200.0,
        least_events=1.0,
        features=NO_FEATURES,
    )
    return replace(made, **changes)


def test_counts_agree_with_counting_one_outline_at_a_time() -> None:
    some = _events(np.random.default_rng(3), 800)
    # Two events at one point in one month are two.
    events = pl.concat([some, some[:200]]).with_columns(
        easting_m=pl.when(pl.int_range(pl.len()) < 5).then(None).otherwise("easting_m")
    )
    points = gathered(events, _monthly(events), periods=MONTHS[:4])
    outlines = np.array([box(500, 500, 900), box(900, 900, 900), box(9000, 0)], dtype=object)
    found = points.counted(outlines)
    for k, outline in enumerate(outlines):
        inside = shapely.intersects_xy(
            outline,
            events["easting_m"].fill_null(np.nan).to_numpy(),
            events["northing_m"].to_numpy(),
        )
        for t, month in enumerate(MONTHS[:4]):
            assert found[k, t] == (inside & (events["month"] == month).to_numpy()).sum()
    assert points.during(MONTHS[2:3]).counted(outlines)[:, 0] == pytest.approx(found[:, 2])


@pytest.mark.parametrize("kind", KINDS)
def test_places_keep_clear_of_hot_spots_the_edge_and_each_other(kind: str) -> None:
    ground = _ground()
    sets = forged(ground, sets=4, kinds=[kind], matching=PLAIN, rng=np.random.default_rng(1))
    assert [one.name for one in sets] == [f"{kind}={k}" for k in (1, 2, 3, 4)]
    for one in sets:
        assert len(one.outlines) == 6
        assert len(one.spare_outlines) == 9
        for group in (one.outlines, one.spare_outlines):
            away = shapely.distance(group[:, None], ground.outlines[None, :])
            assert away.min() >= RING_M
            assert shapely.contains(AREA, shapely.centroid(group)).all()
            shared = [shapely.intersection(a, b).area for a, b in combinations(group, 2)]
            assert max(shared) == pytest.approx(0)
        assert one.counts == pytest.approx(ground.history.counted(one.outlines))
    assert len({shape.wkb for one in sets for shape in one.outlines}) > 12


def test_copies_have_their_hot_spots_own_shape_and_stay_whole_inside() -> None:
    ground = _ground()
    made = forged(
        ground, sets=2, kinds=["translated"], matching=PLAIN, rng=np.random.default_rng(1)
    )
    pool = candidate_pool(ground, kind="translated", offset_m=(30.5, 30.5))
    # Some whose centre lies inside would not lie inside as a whole.
    assert shapely.covers(AREA, pool.outlines).all()
    for one in made:
        for target, copy in zip(one.target, one.outlines, strict=True):
            own = ground.outlines[target]
            back = moved(copy, np.array([[own.centroid.x - copy.centroid.x,
                                          own.centroid.y - copy.centroid.y]]))[0]  # fmt: skip
            assert shapely.hausdorff_distance(own, back) < 1e-6


def test_an_area_with_room_for_few_gives_fewer_or_none() -> None:
    narrow = shapely.to_wkb(shapely.box(458_900, 304_900, 459_600, 305_100))
    few = _ground(area_wkb=narrow)
    (one,) = forged(few, sets=1, kinds=["tessellated"], matching=PLAIN,
                    rng=np.random.default_rng(2))  # fmt: skip
    assert 0 < len(one.outlines) < 6
    nowhere = _ground(area_wkb=shapely.to_wkb(shapely.box(458_900, 304_900, 459_000, 305_000)))
    for kind in KINDS:
        rng = np.random.default_rng(2)
        assert forged(nowhere, sets=3, kinds=[kind], matching=PLAIN, rng=rng) == []
    nobody = _ground(outlines=np.zeros(0, dtype=object), own=np.zeros((0, 6)))
    assert forged(nobody, sets=3, kinds=KINDS, matching=PLAIN, rng=np.random.default_rng(2)) == []


def test_one_hot_spot_is_matched_too() -> None:
    whole = _ground()
    one = replace(whole, outlines=whole.outlines[:1], own=whole.own[:1])
    made = forged(one, sets=4, kinds=KINDS, matching=PLAIN, rng=np.random.default_rng(2))
    assert [len(made_set.outlines) for made_set in made] == [2, 2, 2, 2]


def test_tiles_are_matched_as_the_headline_is() -> None:
    ground = _ground()
    pool = candidate_pool(ground, kind="tessellated", offset_m=(30.5, 110.5))
    hot, candidate = chosen(pool, squared_distances(ground, pool, PLAIN), per_hotspot=2)

    def long(counts: np.ndarray, letter: str) -> pl.DataFrame:
        return pl.DataFrame(
            [
                (f"{letter}{i:04d}", month, float(count))
                for i, row in enumerate(counts)
                for month, count in zip(MONTHS, row, strict=True)
            ],
            schema={"place_id": pl.String, "period_start": pl.Date, "count": pl.Float64},
            orient="row",
        )

    matches = match(
        long(ground.own, "H"), long(pool.counts, "C"),
        per_hotspot=2, shape_weight=1.0, widest_distance=None,
    )  # fmt: skip
    cost = squared_distances(ground, pool, PLAIN)
    assert cost[hot, candidate].sum() == pytest.approx((matches["distance"] ** 2).sum())


def test_pairs_that_must_not_be_made_are_not_made() -> None:
    cost = np.array([[1.0, np.inf, 3.0], [np.inf, np.inf, 1.0]])
    hot, candidate = paired(cost, per_hotspot=2)
    assert sorted(zip(hot.tolist(), candidate.tolist(), strict=True)) == [(0, 0), (1, 2)]


def test_copies_that_touch_are_never_both_taken() -> None:
    outlines = np.array([box(0, 0), box(100, 0), box(1000, 0)], dtype=object)
    cost = np.array([[1.0, 2.0, 3.0]])
    owner = np.zeros(3, dtype=np.int64)
    _, taken = apart(cost, outlines, owner, per_hotspot=3)
    assert taken.tolist() == [0, 2]


FEATURES = pl.DataFrame(
    {
        "feature": ["poor", "poor", "people", "people", "pubs", "pubs", "pubs", "odd", "odd"],
        "measure": ["level", "level", "amount", "amount", *["point"] * 3, "level", "point"],
        "area_code": ["W", "E", "W", "E", None, None, None, "W", None],
        "value": [10.0, 30.0, 900.0, 1800.0, None, 2.0, 1.0, 1.0, 1.0],
        "easting_m": [None] * 4 + [458_950.0, 459_140.0, 463_000.0, None, 458_000.0],
        "northing_m": [None] * 4 + [304_950.0, 304_950.0, 309_000.0, None, 304_000.0],
    }
)
AREAS = pl.DataFrame(
    {
        "place_id": ["E", "W"],
        "geometry": [
            shapely.to_wkb(shapely.box(461_000, 304_000, 464_000, 310_000)),
            shapely.to_wkb(shapely.box(458_000, 304_000, 461_000, 307_000)),
        ],
        "area_m2": [18e6, 9e6],
    }
)


def test_features_are_read_off_where_a_place_lies() -> None:
    wanted = ("poor", "people", "pubs", "odd", "unknown")
    found = features_of(FEATURES, names=wanted, areas=AREAS, reach_m=50.0)
    assert found.names == ("poor", "people", "pubs")
    assert set(found.absent) == {"odd", "unknown"}
    at = found.at(np.array([box(900, 900), box(3500, 900), box(500, 4000)], dtype=object))
    assert at[0].tolist() == [10.0, 1.0, 3.0]  # 900 people on 900 hectares; 1 pub that counts 2
    assert at[1].tolist() == [30.0, 1.0, 0.0]
    assert np.isnan(at[2, :2]).all()
    assert found.at(np.zeros(0, dtype=object)).shape == (0, 3)
    without = features_of(FEATURES, names=("poor", "pubs"), areas=None, reach_m=50.0)
    assert without.names == ("pubs",)
    assert "[lsoa]" in without.absent["poor"]


def test_features_pull_the_choice_and_missing_ones_bar_candidates() -> None:
    features = features_of(FEATURES, names=("poor",), areas=AREAS, reach_m=50.0)
    strong = Matching(per_hotspot=2, shape_weight=1.0, feature_weight=1000.0)
    # The first hot spot lies in the south-west, the others in the east; the north-west is unknown.
    ground = _ground(features=features)
    made = forged(ground, sets=2, kinds=KINDS, matching=strong, rng=np.random.default_rng(4))
    for one in made:
        west = shapely.get_x(shapely.centroid(one.outlines)) < 461_000
        assert west.tolist() == (one.target == 0).tolist()
        assert np.isfinite(one.features).all()
    # A hot spot without the feature is matched by its history alone.
    unknown = replace(ground, outlines=np.array([box(500, 4000), *ground.outlines[1:]]))
    pool = candidate_pool(unknown, kind="tessellated", offset_m=(0.5, 0.5))
    bare = replace(pool, features=np.zeros((len(pool.outlines), 0)))
    plain = squared_distances(replace(unknown, features=NO_FEATURES), bare, strong)
    known = np.isfinite(pool.features[:, 0])
    assert squared_distances(unknown, pool, strong)[0] == pytest.approx(plain[0])
    assert np.isinf(squared_distances(unknown, pool, strong)[1, ~known]).all()


def test_balance_over_sets_says_what_could_not_be_matched_on() -> None:
    features = features_of(FEATURES, names=("poor", "unknown"), areas=AREAS, reach_m=50.0)
    ground = _ground(features=features)
    made = forged(ground, sets=4, kinds=KINDS, matching=PLAIN, rng=np.random.default_rng(4))
    pool = candidate_pool(ground, kind="tessellated", offset_m=(0.0, 0.0))
    rows = balance_of_sets(
        ground, made, pool, headline=made[0].outlines, definition_edition=None,
        window=(MONTHS[0], date(2020, 6, 30)), feeds="crime place_feature",
    )  # fmt: skip
    poor = rows.filter(outcome="feature:poor")
    assert set(poor["horizon"]) == {"before matching", "after matching", "average over the sets"}
    (absent,) = rows.filter(outcome="feature:unknown").to_dicts()
    assert absent["status"] == "not_supplied"
    assert "no file" in absent["reason"]
    level = rows.filter(outcome="history_level")["estimate"].item()
    own, other = ground.own.mean(axis=1), made[0].counts.mean(axis=1)
    first = (own.mean() - other.mean()) / np.sqrt((own.var(ddof=1) + other.var(ddof=1)) / 2)
    alone = balance_of_sets(
        ground, made[:1], pool, headline=made[0].outlines, definition_edition=None,
        window=(MONTHS[0], date(2020, 6, 30)), feeds="crime",
    )  # fmt: skip
    assert alone.filter(outcome="history_level")["estimate"].item() == pytest.approx(first)
    assert np.isfinite(level)


def test_the_plan_knows_the_kinds() -> None:
    assert FORGE_KINDS == KINDS
