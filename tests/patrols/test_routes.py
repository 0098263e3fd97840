"""Lines that can be shown, and how much of a place they come near."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
import shapely

from placeproof import geometry
from placeproof.patrols.coverage import coverage, coverage_estimates
from placeproof.patrols.routes import routes
from placeproof.tables import Hotspot, Ping, Visit
from tests.patrols.conftest import EAST, NORTH, START, filled, hotspot

PLACE = filled(Hotspot, [hotspot("H01", 0, 0)])
SQUARE = shapely.from_wkb(PLACE["geometry"][0])
OBSERVED = pl.DataFrame({"hotspot_id": ["H01"], "operating_day": [date(2024, 5, 3)]})
CHOICES = {
    "margin_m": 30,
    "lead_s": 120,
    "longest_gap_s": 90,
    "trim_m": 25,
    "snap_m": 2,
    "simplify_m": 3,
    "premises": None,
}


def walk(
    points: list[tuple[float, float]], *, device: str = "one", start: datetime = START
) -> pl.DataFrame:
    """A position every ten seconds at metres east and north of the corner of H01."""
    x, y = np.array(points, dtype=float).T
    longitude, latitude = geometry.to_degrees(EAST + x, NORTH + y)
    return filled(
        Ping,
        [
            {
                "device_id": device,
                "at": start + timedelta(seconds=10 * step),
                "longitude_deg": float(longitude[step]),
                "latitude_deg": float(latitude[step]),
            }
            for step in range(len(points))
        ],
    )


def visit(first: datetime, last: datetime, *, device: str = "one", **further: object) -> dict:
    return {
        "device_id": device,
        "hotspot_id": "H01",
        "arrived_at": first,
        "left_at": last,
        "seen_s": (last - first).total_seconds(),
        "dwell_s": (last - first).total_seconds(),
        "source": "pings",
        "method": "order_free",
        **further,
    }


def visits_of(*rows: dict) -> pl.DataFrame:
    schema = {name: column.dtype for name, column in Visit.columns().items()}
    made = [{name: row.get(name) for name in schema} for row in rows]
    return Visit.validate(pl.DataFrame(made, schema=schema), cast=True)


def whole_visit(pings: pl.DataFrame) -> pl.DataFrame:
    """One visit from the first to the last position inside."""
    x, y = geometry.to_metres(pings["longitude_deg"], pings["latitude_deg"])
    inside = pings.filter(pl.Series(shapely.intersects_xy(SQUARE, x, y)))
    return visits_of(visit(inside["at"].min(), inside["at"].max()))


def drawn(pings: pl.DataFrame, visits: pl.DataFrame | None = None, **changes: object):
    seen = whole_visit(pings) if visits is None else visits
    return routes(pings, seen, PLACE, **(CHOICES | changes))


def lawn_mower(spacing: float = 20.0) -> list[tuple[float, float]]:
    """In from the south, up and down over the whole square, out to the east."""
    points = [(10.0, y) for y in np.arange(-200, 10, 14.0)]
    for index, x in enumerate(np.arange(10.0, 200.0, spacing)):
        up = np.arange(10.0, 195.0, 14.0)
        points += [(x, y) for y in (up if index % 2 == 0 else up[::-1])]
    last_x, last_y = points[-1]
    return points + [(last_x + 14.0 * step, last_y) for step in range(1, 15)]


def covered(route: pl.DataFrame, *, streets: pl.DataFrame | None = None, **changes: float):
    choices = {"cell_m": 5.0, "reach_m": 15.0} | changes
    return coverage(
        route, PLACE, observed=OBSERVED, streets=streets, kind="month", **choices
    ).shares


def test_a_lawn_mower_walk_covers_and_a_single_pass_does_not() -> None:
    mown = covered(drawn(walk(lawn_mower())))
    assert mown["of"].to_list() == ["cells"]
    assert mown["share"].item() > 0.95
    for east in (97.5, 100.0, 103.0):  # wherever the pass lies on the grid: 30 m of 200 m
        passed = covered(drawn(walk([(east, y) for y in np.arange(-200, 400, 14.0)])))
        assert 0.12 < passed["share"].item() < 0.20
        assert passed["size"].item() == 1600


def test_positions_held_to_a_centimetre_draw_the_same_line() -> None:
    """As packed positions are: no step of rounding may fall otherwise."""
    rng = np.random.default_rng(8)
    pings = walk([(x + rng.normal(0, 2), y + rng.normal(0, 2)) for x, y in lawn_mower(2.0)])
    degrees = [name for name in pings.columns if name.endswith("_deg")]
    held = pings.with_columns(
        pl.Series(name, np.rint(pings[name].to_numpy() * 1e7).astype(np.int32) / 1e7)
        for name in degrees
    )
    assert not held.equals(pings)
    fine = {"simplify_m": 0, "snap_m": 0.1}
    assert drawn(pings, **fine).equals(drawn(held, whole_visit(pings), **fine))


def test_a_line_never_leaves_the_margin() -> None:
    shown = shapely.from_wkb(drawn(walk(lawn_mower()))["line"].item())
    assert shapely.buffer(SQUARE, 30 + 1e-6).covers(shown)
    assert not SQUARE.covers(shown)


def test_no_end_of_a_device_inside_is_shown() -> None:
    """Switched on at a home inside, walked out: the home and what is near it are not drawn."""
    home = shapely.Point(EAST + 60, NORTH + 60)
    pings = walk([(60.0 + 10 * step, 60.0) for step in range(40)])
    shown = shapely.from_wkb(drawn(pings)["line"].item())
    # Rounding and simplifying may each bring the line nearer by their own size.
    assert shown.distance(home) > 25 - 2 - 3
    untrimmed = shapely.from_wkb(drawn(pings, trim_m=0)["line"].item())
    assert untrimmed.distance(home) < 3


def test_walking_past_the_home_again_does_not_show_it() -> None:
    home = shapely.Point(EAST + 60, NORTH + 60)
    out = [(60.0 + 10 * step, 60.0) for step in range(10)]
    pings = walk([*out, *reversed(out), *[(60.0 - 10 * step, 60.0) for step in range(20)]])
    shown = shapely.from_wkb(drawn(pings)["line"].item())
    assert shown.distance(home) > 20


def test_premises_are_not_drawn() -> None:
    station = pl.DataFrame(
        {"easting_m": [EAST + 100.0], "northing_m": [NORTH + 100.0], "radius_m": [40.0]}
    )
    pings = walk([(100.0, y) for y in np.arange(-200, 400, 14.0)])
    shown = shapely.from_wkb(drawn(pings, premises=station)["line"].item())
    assert shown.distance(shapely.Point(EAST + 100, NORTH + 100)) > 39.9
    assert shown.geom_type == "MultiLineString"


def test_silence_is_not_bridged() -> None:
    south = walk([(100.0, y) for y in np.arange(-200, 60, 14.0)])
    north = walk(
        [(100.0, y) for y in np.arange(140, 400, 14.0)], start=START + timedelta(minutes=10)
    )
    pings = pl.concat([south, north])
    seen = visits_of(visit(START + timedelta(minutes=3), START + timedelta(minutes=11)))
    shown = shapely.from_wkb(drawn(pings, seen)["line"].item())
    gap = shapely.box(EAST + 90, NORTH + 70, EAST + 110, NORTH + 130)
    assert not shown.intersects(gap)


def test_order_repeats_and_parts_change_nothing() -> None:
    one, two = walk(lawn_mower()), walk([(40.0, y) for y in np.arange(-200, 400, 14.0)], device="b")
    seen = visits_of(
        visit(START + timedelta(seconds=150), START + timedelta(seconds=1400)),
        visit(START + timedelta(seconds=150), START + timedelta(seconds=280), device="b"),
    )
    pings = pl.concat([one, two])
    plain = drawn(pings, seen)
    assert plain.height == 2
    shuffled = pl.concat([pings, pings.head(50)]).sample(fraction=1, shuffle=True, seed=3)
    assert drawn(shuffled, seen.reverse()).equals(plain)
    apart = pl.concat(
        [drawn(part, seen.filter(device_id=name)) for name, part in (("one", one), ("b", two))]
    ).sort("hotspot_id", "arrived_at", "length_m", "line")
    assert apart.equals(plain)


def test_no_device_is_named() -> None:
    assert "device_id" not in drawn(walk(lawn_mower())).columns


def test_nothing_to_draw_is_an_empty_table() -> None:
    pings = walk(lawn_mower())
    still = walk([(100.0, 100.0)] * 60)
    assert drawn(still, whole_visit(still)).is_empty()
    assert drawn(pings, whole_visit(pings).clear()).is_empty()
    assert drawn(pings.clear(), whole_visit(pings)).is_empty()
    ready = whole_visit(pings).with_columns(source=pl.lit("delivered"))
    assert drawn(pings, ready).is_empty()
    elsewhere = whole_visit(pings).with_columns(device_id=pl.lit("somebody else"))
    assert drawn(pings, elsewhere).is_empty()


def test_the_outline_of_the_day_cuts() -> None:
    moved = filled(
        Hotspot,
        [
            {**hotspot("H01", 0, 0), "valid_to": date(2024, 5, 2)},
            {**hotspot("H01", 0, 100), "version": 2, "valid_from": date(2024, 5, 3)},
        ],
    )
    pings = walk([(100.0, y) for y in np.arange(-200, 600, 14.0)])
    made = routes(pings, whole_visit(pings), moved, **(CHOICES | {"lead_s": 900}))
    shown = shapely.from_wkb(made["line"].item())
    assert shown.bounds[1] == pytest.approx(NORTH + 100 - 30)
    assert shown.bounds[3] == pytest.approx(NORTH + 300 + 30)


def test_negative_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        drawn(walk(lawn_mower()), trim_m=-1)
    with pytest.raises(ValueError, match="above 0"):
        drawn(walk(lawn_mower()), snap_m=0)
    with pytest.raises(ValueError, match="above 0"):
        covered(drawn(walk(lawn_mower())), cell_m=0.0)


def streets_of(*lines: list[tuple[float, float]]) -> pl.DataFrame:
    shapes = [shapely.LineString([(EAST + x, NORTH + y) for x, y in line]) for line in lines]
    return pl.DataFrame({"line": [shapely.to_wkb(shape) for shape in shapes]})


def test_streets_count_by_their_length_inside() -> None:
    cross = streets_of([(100, -500), (100, 500)], [(-500, 100), (500, 100)])
    found = covered(drawn(walk([(100.0, y) for y in np.arange(-200, 400, 14.0)])), streets=cross)
    assert found["of"].item() == "streets"
    assert found["size"].item() == pytest.approx(400)
    # All of the street that was walked, and 15 m to either side of it on the crossing one.
    assert found["size_reached"].item() == pytest.approx(230, abs=10)


def test_a_street_given_twice_counts_once_and_a_far_network_not_at_all() -> None:
    route = drawn(walk([(100.0, y) for y in np.arange(-200, 400, 14.0)]))
    twice = streets_of([(100, -500), (100, 500)], [(100, 0), (100, 200)])
    assert covered(route, streets=twice)["size"].item() == pytest.approx(200)
    far = streets_of([(5000, 0), (5000, 900)])
    assert covered(route, streets=far)["of"].item() == "cells"


def test_a_month_without_positions_has_no_row_and_one_without_routes_is_nought() -> None:
    observed = pl.DataFrame(
        {"hotspot_id": ["H01"] * 2, "operating_day": [date(2024, 5, 3), date(2024, 7, 1)]}
    )
    route = drawn(walk(lawn_mower()))
    found = coverage(
        route, PLACE, observed=observed, streets=None, cell_m=10, reach_m=15, kind="month"
    ).shares
    assert found["period_start"].to_list() == [date(2024, 5, 1), date(2024, 7, 1)]
    assert found["share"].to_list()[1] == 0
    assert found["routes"].to_list() == [1, 0]


def test_estimates_say_share_by_month_and_place_and_missing_when_there_is_nothing() -> None:
    shares = covered(drawn(walk(lawn_mower())))
    rows = coverage_estimates(shares, cell_m=10, reach_m=15)
    assert set(rows["horizon"]) == {"all", "2024-05"}
    assert set(rows["subgroup"]) == {"all", "hotspot=H01"}
    assert rows["estimate"].unique().len() == 1
    absent = coverage_estimates(None, cell_m=10, reach_m=15)
    assert absent["status"].to_list() == ["not_supplied"]
    assert absent["estimate"].to_list() == [None]
    assert coverage_estimates(shares.clear(), cell_m=10, reach_m=15).is_empty()


def test_a_place_smaller_than_a_cell_is_one_cell() -> None:
    small = filled(Hotspot, [hotspot("H01", 3, 3, side=2.0)])
    found = coverage(
        drawn(walk(lawn_mower())).clear(),
        small,
        observed=OBSERVED,
        streets=None,
        cell_m=50,
        reach_m=15,
        kind="month",
    ).shares
    assert found["size"].item() == 1
    assert found["share"].item() == 0


def test_moments_stay_in_utc() -> None:
    made = drawn(walk(lawn_mower()))
    assert made["arrived_at"].item() == datetime(2024, 5, 3, 20, 2, 30, tzinfo=UTC)
