"""Versions by date, first starts, and registers that contradict themselves."""

from collections.abc import Callable
from datetime import date

import polars as pl
import pytest
import shapely

from placeproof.errors import ContractError, GeometryError
from placeproof.hotspots import (
    assign,
    first_treated,
    outline_on,
    places,
    require_register,
    version_on,
)

from .conftest import box, points

Make = Callable[..., pl.DataFrame]


@pytest.fixture
def redrawn(hotspot: Make) -> pl.DataFrame:
    return pl.concat(
        [
            hotspot("H1", box(0, 0), valid_from=date(2021, 7, 1), valid_to=date(2023, 12, 31)),
            hotspot(
                "H1",
                box(500, 0),
                version=2,
                valid_from=date(2024, 2, 1),
                first_treated=date(2024, 2, 1),
                treated_until=date(2025, 1, 31),
                source_row=3,
            ),
            hotspot("H2", box(1000, 0), valid_from=date(2024, 1, 1), first_treated=None),
        ]
    )


def test_a_version_holds_from_its_first_to_its_last_day(redrawn: pl.DataFrame) -> None:
    held = {
        day: version_on(redrawn, day=day).select("hotspot_id", "version").rows()
        for day in (
            date(2021, 6, 30),
            date(2021, 7, 1),
            date(2023, 12, 31),
            date(2024, 1, 15),
            date(2024, 2, 1),
        )
    }
    assert list(held.values()) == [
        [],
        [("H1", 1)],
        [("H1", 1)],
        [("H2", 1)],
        [("H1", 2), ("H2", 1)],
    ]


def test_counting_has_an_outline_on_every_day(redrawn: pl.DataFrame) -> None:
    # Before the first drawing its outline reaches back; between versions the earlier one goes on.
    for day, version in (
        (date(2010, 1, 1), 1),
        (date(2024, 1, 31), 1),
        (date(2024, 2, 1), 2),
        (date(2030, 1, 1), 2),
    ):
        shown = outline_on(redrawn, day=day)
        assert shown.select("hotspot_id", "version").rows() == [("H1", version), ("H2", 1)]


def test_start_is_that_of_the_first_version_and_end_that_of_the_last(redrawn: pl.DataFrame) -> None:
    assert first_treated(redrawn).rows() == [
        ("H1", date(2021, 7, 26), date(2025, 1, 31)),
        ("H2", None, None),
    ]


def test_never_patrolled_hot_spot_is_a_comparison(redrawn: pl.DataFrame) -> None:
    made = places(redrawn, day=date(2022, 1, 1))
    assert made.select("place_id", "group", "version", "first_treated").rows() == [
        ("H1", "treated", 1, date(2021, 7, 26)),
        ("H2", "comparison", 1, None),
    ]
    assert made["area_m2"].to_list() == [40_000.0, 40_000.0]


def test_sound_register_passes(redrawn: pl.DataFrame) -> None:
    require_register(redrawn)
    require_register(redrawn.clear())


def test_versions_that_hold_at_once_are_refused(hotspot: Make) -> None:
    twice = pl.concat(
        [
            hotspot("H1", box(0, 0), valid_to=date(2022, 1, 1)),
            hotspot("H1", box(0, 0), version=2, valid_from=date(2022, 1, 1), source_row=7),
        ]
    )
    with pytest.raises(ContractError, match=r"rows 2 and 7.*2022-01-01"):
        require_register(twice)


def test_version_that_ends_before_it_begins_is_refused(hotspot: Make) -> None:
    with pytest.raises(ContractError, match="before it begins"):
        require_register(hotspot("H1", box(0, 0), valid_to=date(2020, 1, 1)))


@pytest.mark.parametrize(
    ("outline", "said"),
    [
        (shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), "is not an area"),
        (shapely.Polygon([(0, 0), (3, 3), (3, 0), (0, 1)]), "crosses itself"),
        (shapely.LineString([(0, 0), (3, 3)]), "is not an area"),
    ],
)
def test_outline_that_is_no_polygon_is_refused(
    hotspot: Make, outline: shapely.Geometry, said: str
) -> None:
    with pytest.raises(GeometryError, match=f"row 2, column geometry.*{said}"):
        require_register(hotspot("H1", outline))


def test_outline_in_degrees_is_refused_wherever_it_would_count(hotspot: Make) -> None:
    in_degrees = hotspot("H1", shapely.box(-1.14, 52.62, -1.12, 52.64))
    with pytest.raises(GeometryError, match="degrees"):
        require_register(in_degrees)
    with pytest.raises(GeometryError, match="degrees"):
        assign(points((1, 1)), in_degrees, comparison=None, edges_m=(), outline_rule="first")
