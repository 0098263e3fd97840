"""Missing locations: their share by month, and what they can do to a count."""

from datetime import date

import polars as pl
import pytest

from placeproof.errors import InputError
from placeproof.panel import count_bounds, missing_location, ratio_bounds

ABOUT = {
    "outcome": "robbery",
    "outcome_label": "Robbery",
    "definition_edition": None,
    "feeds": "crime",
}
MONTHS = [date(2021, m, 1) for m in (5, 6, 7, 8, 9)]


def _events(located: list[int], missing: list[int]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            (month, easting)
            for month, here, lost in zip(MONTHS, located, missing, strict=False)
            for easting in [1.0] * here + [None] * lost
        ],
        schema={"month": pl.Date, "easting_m": pl.Float64},
        orient="row",
    )


def _counts(*counts: float | None) -> pl.DataFrame:
    return pl.DataFrame(
        {"month": MONTHS[: len(counts)], "count": counts},
        schema={"month": pl.Date, "count": pl.Float64},
    )


def test_share_by_month_and_over_all() -> None:
    rows = missing_location(_events([90, 99], [10, 1]), located_by="easting_m", **ABOUT)  # type: ignore[arg-type]
    got = dict(rows.select("horizon", "estimate").rows())
    assert got == {"2021-05": 0.10, "2021-06": 0.01, "all": pytest.approx(0.055)}
    assert "1.0% to 10.0%" in rows.filter(pl.col("horizon") == "all")["reason"][0]
    steady = missing_location(_events([90, 90], [10, 10]), located_by="easting_m", **ABOUT)  # type: ignore[arg-type]
    assert steady["reason"].null_count() == 3


def test_share_of_no_events_is_not_identified() -> None:
    rows = missing_location(_events([], []), located_by="easting_m", **ABOUT)  # type: ignore[arg-type]
    assert rows["status"].to_list() == ["not_identified"]


def test_bounds_of_a_count() -> None:
    bounds = count_bounds(
        _counts(20.0, 0.0, None), _events([80, 50, 40], [20, 10, 0]), located_by="easting_m"
    )
    assert bounds.rows() == [
        (MONTHS[0], 20, 20.0, 25.0, 40.0),
        (MONTHS[1], 10, 0.0, 0.0, 10.0),
        (MONTHS[2], 0, None, None, None),
    ]


def test_more_in_the_places_than_anywhere_is_refused() -> None:
    with pytest.raises(InputError, match="2021-05"):
        count_bounds(_counts(9.0), _events([8], [5]), located_by="easting_m")


def test_bounds_of_a_ratio_by_hand() -> None:
    events = _events([100] * 5, [20, 20, 0, 0, 0])
    bounds = count_bounds(_counts(20, 20, 99, 30, 30), events, located_by="easting_m")
    row = ratio_bounds(
        bounds,
        start=date(2021, 7, 26),
        population="hot spots",
        comparison=None,
        **ABOUT,  # type: ignore[arg-type]
    ).row(0, named=True)
    # Before 20, in proportion 24, at most 40 a month; after 30. The month of the start is left out.
    assert (row["lower"], row["estimate"], row["upper"]) == pytest.approx(
        (30 / 40, 30 / 24, 30 / 20)
    )
    assert row["role"] == "not_impact"
    assert row["level"] is None


def test_complete_locations_bound_to_a_point_and_comparison_divides() -> None:
    events = _events([100] * 5, [0] * 5)
    ours = count_bounds(_counts(20, 20, 0, 30, 30), events, located_by="easting_m")
    theirs = count_bounds(_counts(10, 10, 0, 5, 5), events, located_by="easting_m")
    row = ratio_bounds(
        ours,
        start=date(2021, 7, 26),
        population="hot spots",
        comparison=theirs,
        **ABOUT,  # type: ignore[arg-type]
    ).row(0, named=True)
    assert row["lower"] == row["estimate"] == row["upper"] == pytest.approx(3.0)


def test_bounds_of_a_ratio_of_ratios_by_hand() -> None:
    events = _events([100] * 5, [20, 20, 0, 0, 0])
    ours = count_bounds(_counts(20, 20, 0, 30, 30), events, located_by="easting_m")
    theirs = count_bounds(_counts(10, 10, 0, 5, 5), events, located_by="easting_m")
    rows = ratio_bounds(
        ours,
        start=date(2021, 7, 26),
        population="hot spots",
        comparison=theirs,
        **ABOUT,  # type: ignore[arg-type]
    )
    row = rows.row(0, named=True)
    # Ours from 30 / 40 to 30 / 20; theirs from 5 / 30 to 5 / 10: each end against the far one.
    assert (row["lower"], row["upper"]) == pytest.approx(((30 / 40) / (5 / 10), (30 / 20) * 6))


@pytest.mark.parametrize("counts", [(0, 0, 0, 5, 5), (None, None, 0, 5, 5), (1, 1)])
def test_ratio_without_a_side_is_not_identified(counts: tuple[float | None, ...]) -> None:
    events = _events([100] * 5, [1] * 5)
    bounds = count_bounds(_counts(*counts), events, located_by="easting_m")
    rows = ratio_bounds(
        bounds,
        start=date(2021, 7, 26),
        population="hot spots",
        comparison=None,
        **ABOUT,  # type: ignore[arg-type]
    )
    assert rows["status"].to_list() == ["not_identified"]
    assert rows["estimate"].null_count() == 1
