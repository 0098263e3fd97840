"""Metres are metres, points are in one place, and rings never count a point twice."""

import csv
from pathlib import Path
from time import perf_counter

import numpy as np
import polars as pl
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from placeproof import geometry
from placeproof.errors import GeometryError

# Test points TP01–TP40 that Ordnance Survey publishes with its OSTN15 transformation, as several
# public programs carry them in their own tests (they agree); latitude and longitude to 1e-8 degree.
POINTS = Path(__file__).parent / "reference" / "ostn15_test_points.csv"


def test_points() -> list[dict[str, str]]:
    with POINTS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


test_points.__test__ = False  # type: ignore[attr-defined]


def error_m(rows: list[dict[str, str]]) -> np.ndarray:
    column = {name: np.array([float(row[name]) for row in rows]) for name in list(rows[0])[1:]}
    east, north = geometry.to_metres(column["longitude_deg"], column["latitude_deg"])
    return np.hypot(east - column["easting_m"], north - column["northing_m"])


def test_projection_is_as_near_to_the_official_one_as_decision_0003_says() -> None:
    rows = test_points()
    assert len(rows) == 40
    assert error_m(rows).max() < 5
    south = [r for r in rows if float(r["latitude_deg"]) < 55.8 and float(r["longitude_deg"]) > -4]
    assert len(south) == 17
    assert error_m(south).max() < 2.7
    midlands = [row for row in rows if row["point"] in {"TP12", "TP13", "TP15"}]
    assert 1 < error_m(midlands).max() < 2.3  # a systematic shift, not noise


def test_there_and_back() -> None:
    longitude, latitude = np.array([-1.13, -6.2, 1.7, np.nan]), np.array([52.6, 49.9, 52.5, 52.6])
    east, north = geometry.to_metres(longitude, latitude)
    back = geometry.to_degrees(east, north)
    assert np.isnan(back[0][3])
    assert np.allclose(back[0][:3], longitude[:3], atol=2e-7)
    assert np.allclose(back[1][:3], latitude[:3], atol=2e-7)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: geometry.to_metres([52.63], [-1.13]), "swapped"),
        (lambda: geometry.to_metres([-1.1, 52.63], [52.6, -1.13]), "swapped in 1 of 2"),
        (lambda: geometry.to_metres([458_000.0], [304_000.0]), "look like metres"),
        (lambda: geometry.to_metres([2.35], [48.85]), "outside Great Britain"),
        (lambda: geometry.to_metres([0.0], [0.0]), "outside Great Britain"),
        (lambda: geometry.require_metres([-1.13], [52.63]), "look like degrees"),
        (lambda: geometry.require_metres([400_000.0, -5.0], [4e5, 4e5]), "1 of 2 points"),
        (lambda: geometry.require_metres([904_000.0], [400_000.0]), "swapped"),
        (lambda: geometry.locate([-1.13], [52.63], []), "look like degrees"),
        (lambda: geometry.to_british_grid([shapely.box(52, -1, 53, 0)], crs="EPSG:4326"), "swapp"),
        (lambda: geometry.to_british_grid([shapely.box(-1, 52, 0, 53)], crs="EPSG:27700"), "degre"),
        (lambda: geometry.to_british_grid([shapely.box(0, 0, 1, 1)], crs="nonsense"), "no coordin"),
        (lambda: geometry.outlines(pl.Series([b"nonsense"])), "cannot be read"),
    ],
)
def test_wrong_coordinates_are_refused_with_a_plain_message(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(GeometryError, match=said) as caught:
        call()
    assert caught.value.mend


def test_unknown_places_and_nothing_at_all_pass() -> None:
    geometry.require_metres(pl.Series([None, 4e5]), pl.Series([None, 3e5]))
    geometry.require_degrees([], [])
    assert geometry.to_british_grid([], crs="EPSG:4326") == []
    assert geometry.locate([], [], []).tolist() == []


@pytest.mark.parametrize(("lon", "lat"), [(-1.13, 52.63), (-3.5, 50.7), (1.3, 52.6), (-1.6, 55)])
def test_area_is_the_same_in_both_systems(lon: float, lat: float) -> None:
    degrees = shapely.box(lon, lat, lon + 0.003, lat + 0.002)
    metres = geometry.to_british_grid([degrees], crs="EPSG:4326")[0]
    on_the_ellipsoid = abs(Geod(ellps="WGS84").geometry_area_perimeter(degrees)[0])
    assert metres.area == pytest.approx(on_the_ellipsoid, rel=1e-3)
    same = geometry.to_british_grid([metres], crs="epsg:27700")[0]
    assert same.equals(metres)
    mercator = shapely.transform(
        degrees,
        lambda xy: np.column_stack(
            [xy[:, 0] * 111319.490793, 6378137 * np.arctanh(np.sin(np.radians(xy[:, 1])))]
        ),
    )
    assert geometry.to_british_grid([mercator], crs="EPSG:3857")[0].area == pytest.approx(
        metres.area, rel=1e-6
    )


def test_heights_are_dropped_and_missing_outlines_stay_missing() -> None:
    made = geometry.to_british_grid([shapely.Point(-1.1, 52.6, 80), None], crs="EPSG:4326")
    assert not made[0].has_z
    assert made[1] is None


def test_outlines_survive_as_wkb() -> None:
    shapes = [shapely.box(4e5, 3e5, 400_200, 300_200), None]
    written = geometry.to_wkb(shapes)
    assert written.dtype == pl.Binary
    read = geometry.outlines(written)
    assert read[0].equals(shapes[0])
    assert read[1] is None


SQUARES = [
    shapely.box(450_000, 300_000, 450_200, 300_200),
    shapely.box(450_200, 300_000, 450_400, 300_200),  # shares an edge with the first
    shapely.box(450_100, 300_100, 450_300, 300_300),  # overlaps both
]


@pytest.mark.parametrize(
    ("x", "y", "index"),
    [
        (450_050, 300_050, 0),
        (450_200, 300_050, 0),  # the common edge: lowest index
        (450_000, 300_000, 0),  # a corner is inside
        (450_250, 300_150, 1),
        (450_150, 300_250, 2),
        (450_300, 300_300, 2),
        (449_999.999, 300_050, -1),
        (np.nan, 300_050, -1),
    ],
)
def test_a_point_is_in_one_place(x: float, y: float, index: int) -> None:
    assert geometry.locate([x], [y], SQUARES).tolist() == [index]
    assert geometry.locate([x], [y], [None, *SQUARES]).tolist() == [index + (index >= 0)]


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (450_050, (-1, -1)),
        (450_100, (-1, -1)),  # on the outline
        (450_101, (0, 0)),
        (450_200, (0, 0)),
        (450_200.01, (0, 1)),
        (450_250, (0, 1)),  # half-way to the second: the same distance, lower index
        (450_300, (1, 0)),
        (450_650, (1, 1)),
        (450_900, (-1, -1)),
        (450_500, (-1, -1)),
        (450_750, (1, 1)),
        (450_750.01, (-1, -1)),
    ],
)
def test_rings_by_hand(x: float, expected: tuple[int, int]) -> None:
    two = [shapely.box(450_000, 0, 450_100, 100), shapely.box(450_400, 0, 450_500, 100)]
    target, band = geometry.nearest_band([x], [50.0], two, edges_m=[0, 100, 250], priority=[1, 1])
    assert (target[0], band[0]) == expected


def test_the_earlier_outline_wins_a_tie() -> None:
    two = [shapely.box(450_000, 0, 450_100, 100), shapely.box(450_400, 0, 450_500, 100)]
    days = np.array(["2022-01-01", "2021-07-19"], dtype="datetime64[D]")
    target, _ = geometry.nearest_band([450_250.0], [50.0], two, edges_m=[0, 250], priority=days)
    assert target.tolist() == [1]


def test_edges_that_do_not_rise_are_refused() -> None:
    for edges in ([0], [100, 50], [-1, 5], [0, 0]):
        with pytest.raises(GeometryError, match="do not rise"):
            geometry.nearest_band([4e5], [3e5], [], edges_m=edges, priority=[])


NEAR = st.integers(0, 900)


@settings(max_examples=60, deadline=None)
@given(
    boxes=st.lists(st.tuples(NEAR, NEAR, st.integers(20, 200)), min_size=1, max_size=6),
    points=st.lists(st.tuples(NEAR, NEAR), min_size=1, max_size=30),
    data=st.data(),
)
def test_places_and_rings_equal_the_slow_obvious_version(boxes, points, data) -> None:  # type: ignore[no-untyped-def]
    shapes = [
        shapely.box(450_000 + x, 300_000 + y, 450_000 + x + s, 300_000 + y + s) for x, y, s in boxes
    ]
    priority = data.draw(
        st.lists(st.integers(0, 2), min_size=len(shapes), max_size=len(shapes)), label="priority"
    )
    east = np.array([450_000.0 + x for x, _ in points])
    north = np.array([300_000.0 + y for _, y in points])
    edges = [0.0, 60.0, 150.0]
    place = geometry.locate(east, north, shapes)
    target, band = geometry.nearest_band(east, north, shapes, edges_m=edges, priority=priority)
    for n, (x, y) in enumerate(zip(east, north, strict=True)):
        point = shapely.Point(x, y)
        inside = [i for i, shape in enumerate(shapes) if shape.intersects(point)]
        assert place[n] == (inside[0] if inside else -1)
        distances = [round(shape.distance(point), 4) for shape in shapes]
        nearest = min(range(len(shapes)), key=lambda i: (distances[i], priority[i], i))
        far = distances[nearest]
        expected = (-1, -1)
        if not inside and far <= edges[-1]:
            expected = (nearest, 0 if far <= edges[1] else 1)
        assert (target[n], band[n]) == expected


def test_300_000_points_in_60_polygons_take_less_than_a_second() -> None:
    rng = np.random.default_rng(20210719)
    east, north = rng.uniform(440_000, 470_000, 300_000), rng.uniform(290_000, 320_000, 300_000)
    centres = np.column_stack(
        [rng.uniform(440_000, 470_000, 60), rng.uniform(290_000, 320_000, 60)]
    )
    shapes = [shapely.Point(x, y).buffer(rng.uniform(100, 2_000)) for x, y in centres]
    began = perf_counter()
    found = geometry.locate(east, north, shapes)
    assert perf_counter() - began < 1
    assert (found >= 0).mean() > 0.05
