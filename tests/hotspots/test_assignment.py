"""One place for each point: inside, ring, outside, unlocated."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest
import shapely

from placeproof.errors import SettingsError
from placeproof.hotspots import assign, assign_by_code, assign_to_places
from placeproof.hotspots.register import place_rows

from .conftest import box, points

Make = Callable[..., pl.DataFrame]
EDGES = (0, 100, 250)


def test_inside_ring_outside_unlocated(hotspot: Make) -> None:
    events = pl.concat(
        [
            points((100, 100), (0, 0), (-50, 100), (-100, 100), (-101, 100), (-250, 100)),
            points((-251, 100)),
            points((0, 0)).with_columns(pl.lit(None, dtype=pl.Float64).alias("easting_m")),
        ]
    )
    got = assign(
        events, hotspot("H", box(0, 0)), comparison=None, edges_m=EDGES, outline_rule="first"
    )
    assert got.select("place_id", "zone").rows() == [
        ("H", "inside"),
        ("H", "inside"),  # a corner belongs to the hot spot
        ("H:ring-0-100m", "ring"),
        ("H:ring-0-100m", "ring"),
        ("H:ring-100-250m", "ring"),
        ("H:ring-100-250m", "ring"),
        (None, "outside"),
        (None, "unlocated"),
    ]
    assert got["target_id"].to_list() == ["H"] * 6 + [None] * 2
    assert got.row(4)[3:] == (100.0, 250.0)


def test_overlapping_hot_spots_count_a_point_once_for_the_earlier_start(hotspot: Make) -> None:
    late = hotspot("A", box(0, 0), first_treated=date(2022, 5, 1))
    early = hotspot("B", box(100, 0), first_treated=date(2021, 7, 26))
    never = hotspot("0", box(100, 0), first_treated=None)
    for order in ([late, early, never], [never, early, late]):
        got = assign(
            points((150, 100), (50, 100), (100, 100)),
            pl.concat(order),
            comparison=None,
            edges_m=(),
            outline_rule="first",
        )
        assert got["place_id"].to_list() == ["B", "A", "B"]


def test_overlapping_rings_count_a_point_once(hotspot: Make, comparison_place: Make) -> None:
    spots = pl.concat(
        [
            hotspot("A", box(0, 0), first_treated=date(2022, 5, 1)),
            hotspot("B", box(300, 0), first_treated=date(2021, 7, 26)),
        ]
    )
    beside = comparison_place("C", box(0, 300))
    events = points((249, 100), (251, 100), (250, 100), (100, 249), (100, 250), (100, 251))
    got = assign(events, spots, comparison=beside, edges_m=EDGES, outline_rule="first")
    # Midway goes to the one patrolled first, and to a hot spot before a comparison place.
    assert got["target_id"].to_list() == ["A", "B", "B", "A", "A", "C"]
    assert got["ring_outer_m"].to_list() == [100.0] * 6


def test_ring_never_enters_another_hot_spot_or_comparison_place(
    hotspot: Make, comparison_place: Make
) -> None:
    spots = pl.concat([hotspot("A", box(0, 0)), hotspot("B", box(210, 0))])
    got = assign(
        points((215, 100), (100, 220)),
        spots,
        comparison=comparison_place("C", box(0, 210)),
        edges_m=EDGES,
        outline_rule="first",
    )
    assert got.select("place_id", "zone").rows() == [("B", "inside"), ("C", "inside")]


def test_hole_is_not_inside(hotspot: Make) -> None:
    ring_road = box(0, 0, 200).difference(box(50, 50, 100))
    got = assign(
        points((100, 100), (10, 10)),
        hotspot("H", ring_road),
        comparison=None,
        edges_m=EDGES,
        outline_rule="first",
    )
    assert got["place_id"].to_list() == ["H:ring-0-100m", "H"]


def test_redrawing_moves_later_events_and_no_earlier_one(hotspot: Make) -> None:
    first = hotspot("H", box(0, 0), valid_to=date(2023, 12, 31))
    second = hotspot("H", box(500, 0), version=2, valid_from=date(2024, 1, 1))
    both = pl.concat([first, second])
    old, new = (100, 100), (600, 100)
    events = pl.concat(
        [points(old, new, month=m) for m in (date(2019, 1, 1), date(2023, 12, 1))]
        + [points(old, new, month=date(2024, 1, 1))]
    )

    def inside(register: pl.DataFrame, rule: str) -> list[str | None]:
        return assign(events, register, comparison=None, edges_m=(), outline_rule=rule)[  # type: ignore[arg-type]
            "place_id"
        ].to_list()

    assert inside(first, "at_event") == ["H", None, "H", None, "H", None]
    assert inside(both, "at_event") == ["H", None, "H", None, None, "H"]
    assert inside(both, "first") == inside(first, "at_event")


def test_time_of_event_says_which_outline_held_by_operating_day(hotspot: Make) -> None:
    both = pl.concat(
        [
            hotspot("H", box(0, 0), valid_to=date(2023, 12, 31)),
            hotspot("H", box(500, 0), version=2, valid_from=date(2024, 1, 1)),
        ]
    )
    # 02:30 on New Year's Day still belongs to the operating day of 31 December.
    times = [datetime(2024, 1, 1, 2, 30, tzinfo=UTC), datetime(2024, 1, 1, 6, 0, tzinfo=UTC)]
    events = points((100, 100), (100, 100), month=date(2024, 1, 1)).with_columns(
        occurred_from=pl.Series(times, dtype=pl.Datetime("us", "UTC"))
    )
    got = assign(events, both, comparison=None, edges_m=(), outline_rule="at_event")
    assert got["place_id"].to_list() == ["H", None]


def test_no_events_no_hot_spots(hotspot: Make) -> None:
    spot = hotspot("H", box(0, 0))
    none = assign(points(), spot, comparison=None, edges_m=EDGES, outline_rule="at_event")
    assert none.shape == (0, 5)
    bare = assign(
        points((1, 1)), spot.clear(), comparison=None, edges_m=EDGES, outline_rule="at_event"
    )
    assert bare["zone"].to_list() == ["outside"]


@pytest.mark.parametrize("edges", [(100, 250), (0,), (0, 100, 100)])
def test_edges_that_do_not_rise_from_zero_are_refused(hotspot: Make, edges: Sequence[int]) -> None:
    with pytest.raises(SettingsError, match="ring edges"):
        assign(
            points(),
            hotspot("H", box(0, 0)),
            comparison=None,
            edges_m=edges,
            outline_rule="first",
        )


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_distances_taken_one_by_one(seed: int, hotspot: Make) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 1500, (8, 2))
    starts = [date(2021, 7, int(d)) for d in rng.integers(1, 29, 8)]
    spots = pl.concat(
        [hotspot(f"H{i}", box(*c), first_treated=starts[i]) for i, c in enumerate(corners)]
    )
    events = points(*map(tuple, rng.uniform(-300, 2000, (400, 2))))
    got = assign(events, spots, comparison=None, edges_m=EDGES, outline_rule="at_event")
    order = sorted(range(8), key=lambda i: (starts[i], f"H{i}"))
    expected = []
    for east, north in events.select("easting_m", "northing_m").rows():
        reach = [
            (box(*corners[i]).distance(shapely.Point(east, north)), k) for k, i in enumerate(order)
        ]
        distance, rank = min((round(d, 4), k) for d, k in reach)
        name = f"H{order[rank]}"
        expected.append(
            name
            if distance == 0
            else f"{name}:ring-0-100m"
            if distance <= 100
            else f"{name}:ring-100-250m"
            if distance <= 250
            else None
        )
    assert got["place_id"].to_list() == expected


def test_fixed_places_and_codes(comparison_place: Make) -> None:
    both = pl.concat([comparison_place("C2", box(0, 0)), comparison_place("C1", box(200, 0))])
    events = pl.concat(
        [
            points((100, 100), (200, 100), (300, 100), (900, 0)),
            points((0, 0)).with_columns(pl.lit(None, dtype=pl.Float64).alias("northing_m")),
        ]
    )
    assert assign_to_places(events, both).to_list() == ["C2", "C1", "C1", None, None]
    assert assign_to_places(events, place_rows([])).to_list() == [None] * 5
    codes = pl.DataFrame({"lsoa_code": ["C1", None, "E0", "C2"]})
    assert assign_by_code(codes, both).to_list() == ["C1", None, None, "C2"]


def test_not_a_number_is_no_location(hotspot: Make, comparison_place: Make) -> None:
    nowhere = points((0, 0)).with_columns(easting_m=pl.lit(float("nan")))
    spot = hotspot("H", box(0, 0))
    got = assign(nowhere, spot, comparison=None, edges_m=EDGES, outline_rule="first")
    assert got["zone"].to_list() == ["unlocated"]
    assert assign_to_places(nowhere, comparison_place("C", box(0, 0))).to_list() == [None]
    blank = points((0, 0)).with_columns(easting_m=pl.lit(None))
    got = assign(blank, spot, comparison=None, edges_m=EDGES, outline_rule="first")
    assert got["zone"].to_list() == ["unlocated"]
