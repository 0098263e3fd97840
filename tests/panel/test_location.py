"""Missing locations: their share by month, and what they can do to a count."""

from datetime import date

import polars as pl
import pytest

from placeproof.panel import missing_location

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
