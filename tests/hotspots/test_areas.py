"""Small areas by what patrols did in them."""

from datetime import date

import polars as pl
import shapely

from placeproof import geometry
from placeproof.hotspots import areas_by_patrol

EAST, NORTH = 450_000.0, 300_000.0
DAY, LATER = date(2021, 7, 31), date(2022, 3, 1)


def places(outlines: list[shapely.Geometry], **columns: list[object]) -> pl.DataFrame:
    frame = pl.DataFrame(
        {"place_id": [f"A{i}" for i in range(len(outlines))]} | columns,
        schema_overrides={"first_treated": pl.Date},
    )
    return frame.with_columns(geometry=geometry.to_wkb(outlines))


def square(east_m: float, north_m: float, side_m: float) -> shapely.Geometry:
    return shapely.box(EAST + east_m, NORTH + north_m, EAST + east_m + side_m,
                       NORTH + north_m + side_m)  # fmt: skip


ROW = [square(1000 * i, 0, 1000) for i in range(5)]
AREAS = places(ROW, group=["other"] * 5, first_treated=[None] * 5)


def parts(hotspots: pl.DataFrame, near_m: float = 250) -> list[tuple[str, date | None]]:
    made = areas_by_patrol(AREAS, hotspots, near_m=near_m)
    assert made["place_id"].to_list() == AREAS["place_id"].to_list()
    return list(zip(made["group"].to_list(), made["first_treated"].to_list(), strict=True))


def test_the_area_with_the_largest_part_is_treated_and_neighbours_take_no_part() -> None:
    across = square(850, 400, 200)  # 150 m in the first area, 50 m in the second
    assert parts(places([across], first_treated=[DAY])) == [
        ("treated", DAY), ("other", None), ("comparison", None), ("comparison", None),
        ("comparison", None),
    ]  # fmt: skip


def test_near_is_within_the_outer_ring() -> None:
    spot = places([square(1400, 400, 200)], first_treated=[DAY])
    assert [group for group, _ in parts(spot, 250)] == ["comparison", "treated", "comparison",
                                                       "comparison", "comparison"]  # fmt: skip
    assert [group for group, _ in parts(spot, 450)] == ["other", "treated", "other", "comparison",
                                                       "comparison"]  # fmt: skip


def test_two_hot_spots_in_one_area_give_it_the_earlier_day() -> None:
    spots = places([square(400, 400, 100), square(600, 400, 100)], first_treated=[LATER, DAY])
    assert parts(spots)[0] == ("treated", DAY)


def test_a_hot_spot_that_was_never_patrolled_makes_its_area_no_comparison() -> None:
    assert parts(places([square(400, 400, 100)], first_treated=[None]))[0] == ("other", None)


def test_a_hot_spot_outside_every_area_treats_none() -> None:
    far = places([square(400, 9000, 100)], first_treated=[DAY])
    assert {group for group, _ in parts(far)} == {"comparison"}


def test_halves_go_to_the_first_area() -> None:
    half = places([square(950, 400, 100)], first_treated=[DAY])
    assert [group for group, _ in parts(half)][:2] == ["treated", "other"]
