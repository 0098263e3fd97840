"""Rings as ground: no overlap, and the same verdict as counting."""

from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import shapely

from placeproof.hotspots import assign, places, ring_places

from .conftest import box, points

Make = Callable[..., pl.DataFrame]
EDGES = (0, 100, 250)


def _scene(hotspot: Make, comparison_place: Make) -> tuple[pl.DataFrame, pl.DataFrame]:
    spots = pl.concat(
        [
            hotspot("A", box(0, 0), first_treated=date(2022, 1, 1)),
            hotspot("B", box(260, 50)),
            hotspot("D", box(2000, 2000)),
        ]
    )
    return spots, comparison_place("C", box(100, 330))


def test_lone_ring_has_the_area_of_its_formula(hotspot: Make) -> None:
    rings = ring_places(places(hotspot("H", box(0, 0)), day=date(2022, 1, 1)), edges_m=EDGES)
    # A buffer of a square: the square, four strips and a circle (polygon of 128 corners: 0.04 %).
    inner = 4 * 200 * 100 + np.pi * 100**2
    outer = 4 * 200 * 250 + np.pi * 250**2
    assert rings["place_id"].to_list() == ["H:ring-0-100m", "H:ring-100-250m"]
    np.testing.assert_allclose(rings["area_m2"].to_numpy(), [inner, outer - inner], rtol=1e-3)
    assert rings["first_treated"].to_list() == [date(2021, 7, 26)] * 2
    assert rings["kind"].to_list() == ["ring"] * 2


def test_rings_overlap_neither_each_other_nor_a_target(
    hotspot: Make, comparison_place: Make
) -> None:
    spots, beside = _scene(hotspot, comparison_place)
    targets = pl.concat([places(spots, day=date(2022, 1, 1)), beside])
    rings = ring_places(targets, edges_m=EDGES)
    assert rings.filter(pl.col("kind") == "comparison_ring")["target_id"].unique().to_list() == [
        "C"
    ]
    ground = [shapely.from_wkb(w) for w in rings["geometry"]]
    solid = [shapely.from_wkb(w) for w in targets["geometry"]]
    for i, one in enumerate(ground):
        for other in ground[i + 1 :] + solid:
            assert one.intersection(other).area < 1e-3


def test_ground_agrees_with_counting(hotspot: Make, comparison_place: Make) -> None:
    spots, beside = _scene(hotspot, comparison_place)
    targets = pl.concat([places(spots, day=date(2022, 1, 1)), beside])
    rings = ring_places(targets, edges_m=EDGES)
    rng = np.random.default_rng(3)
    events = points(*map(tuple, rng.uniform(-300, 900, (3000, 2))))
    counted = assign(events, spots, comparison=beside, edges_m=EDGES, outline_rule="first")
    located = pl.Series(
        [
            next((r for r, g in zip(rings["place_id"], shapes, strict=True) if g.covers(p)), None)
            for shapes in [[shapely.from_wkb(w) for w in rings["geometry"]]]
            for p in shapely.points(events["easting_m"], events["northing_m"])
        ]
    )
    in_ring = counted["zone"] == "ring"
    differ = (located.eq_missing(counted["place_id"]) == False) & (in_ring | located.is_not_null())  # noqa: E712
    # The outline between two places and the corners of a buffer are drawn to about a metre.
    assert differ.sum() <= 12


def test_rings_of_overlapping_hot_spots_stay_out_of_both(hotspot: Make) -> None:
    crossing = pl.concat([hotspot("A", box(0, 0, 400)), hotspot("B", box(300, 100, 200))])
    targets = places(crossing, day=date(2022, 1, 1))
    solid = shapely.union_all(shapely.from_wkb(targets["geometry"].to_list()))
    for ring in shapely.from_wkb(ring_places(targets, edges_m=EDGES)["geometry"].to_list()):
        assert ring.intersection(solid).area < 1e-3


def test_no_targets_and_no_edges(hotspot: Make) -> None:
    one = places(hotspot("H", box(0, 0)), day=date(2022, 1, 1))
    assert ring_places(one.clear(), edges_m=EDGES).is_empty()
    assert ring_places(one, edges_m=()).is_empty()


def test_hot_spot_swallowed_by_others_has_no_ring_there(hotspot: Make) -> None:
    inside_hole = pl.concat(
        [
            hotspot("A", box(0, 0, 600).difference(box(200, 200, 200))),
            hotspot("B", box(200, 200, 200)),
        ]
    )
    rings = ring_places(places(inside_hole, day=date(2022, 1, 1)), edges_m=EDGES)
    assert rings["target_id"].unique().to_list() == ["A"]
