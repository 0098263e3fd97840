"""The calendar is right at 06:00, at both clock changes and on eves of bank holidays."""

from datetime import UTC, date, datetime, time, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placeproof import calendar
from placeproof.errors import InputError, SettingsError

INSTANT = pl.Datetime("us", "UTC")
LONDON = ZoneInfo("Europe/London")
CORE = calendar.NTE_PRESETS["nte-core"]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON, fold=fold).astimezone(UTC)


def windows(*pairs: tuple[datetime | None, datetime | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [(row, *pair) for row, pair in enumerate(pairs)],
        schema={"event_row": pl.Int64, "occurred_from": INSTANT, "occurred_to": INSTANT},
        orient="row",
    )


def intervals(
    preset: str = "nte-core",
    first: date = date(2020, 1, 1),
    last: date = date(2022, 12, 31),
    events: pl.DataFrame | None = None,
) -> pl.DataFrame:
    return calendar.nte_intervals(
        calendar.NTE_PRESETS[preset], first=first, last=last, events=events
    )


def split(pairs: pl.DataFrame, preset: str = "nte-core") -> list[tuple[date, str, float]]:
    rows = calendar.aoristic(pairs, intervals(preset))
    return [(day, hours, round(share, 12)) for _, day, hours, share in rows.iter_rows()]


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (local("2021-07-04 02:30"), date(2021, 7, 3)),  # Sunday night is Saturday
        (local("2021-07-04 05:59:59"), date(2021, 7, 3)),
        (local("2021-07-04 06:00"), date(2021, 7, 4)),
        (utc("2021-07-04 05:00"), date(2021, 7, 4)),  # 06:00 British Summer Time
        (utc("2021-01-03 05:30"), date(2021, 1, 2)),
        (utc("2021-10-31 00:30"), date(2021, 10, 30)),  # 01:30, first instance
        (utc("2021-10-31 01:30"), date(2021, 10, 30)),  # 01:30, second instance
        (utc("2021-10-31 05:30"), date(2021, 10, 30)),  # 05:30 after the change
        (utc("2021-10-31 06:00"), date(2021, 10, 31)),
        (utc("2021-03-28 04:59:59"), date(2021, 3, 27)),  # 05:59:59 after the change
        (utc("2021-03-28 05:00"), date(2021, 3, 28)),
    ],
)
def test_operating_day(moment: datetime, day: date) -> None:
    frame = pl.DataFrame({"at": [moment, None]}, schema={"at": INSTANT})
    assert frame.select(calendar.operating_day(pl.col("at"))).to_series().to_list() == [day, None]


@pytest.mark.parametrize(
    ("wall", "ambiguous", "expected"),
    [
        ("2021-07-01 12:00", "earliest", "2021-07-01 11:00"),
        ("2021-03-28 01:30", "earliest", None),  # the hour that never was
        ("2021-03-28 00:59", "latest", "2021-03-28 00:59"),
        ("2021-03-28 02:00", "latest", "2021-03-28 01:00"),
        ("2021-10-31 01:30", "earliest", "2021-10-31 00:30"),
        ("2021-10-31 01:30", "latest", "2021-10-31 01:30"),
        ("2021-10-31 01:30", "null", None),
        ("2021-10-31 02:00", "null", "2021-10-31 02:00"),
    ],
)
def test_wall_clock_to_utc(wall: str, ambiguous: str, expected: str | None) -> None:
    frame = pl.DataFrame({"local": [datetime.fromisoformat(wall)]})
    made = frame.select(
        calendar.to_utc(pl.col("local"), time_zone="Europe/London", ambiguous=ambiguous)
    ).to_series()
    assert made.dtype == INSTANT
    assert made[0] == (None if expected is None else utc(expected))


@pytest.mark.parametrize("settings_", [("Mars/Olympus", "latest"), ("Europe/London", "raise")])
def test_unknown_zone_or_answer_is_refused(settings_: tuple[str, str]) -> None:
    with pytest.raises(SettingsError):
        calendar.to_utc(pl.col("x"), time_zone=settings_[0], ambiguous=settings_[1])


_LISTED = """
2021-01-01 2021-04-02 2021-04-05 2021-05-03 2021-05-31 2021-08-30 2021-12-27 2021-12-28
2022-01-03 2022-04-15 2022-04-18 2022-05-02 2022-06-02 2022-06-03 2022-08-29 2022-09-19
2022-12-26 2022-12-27
2023-01-02 2023-04-07 2023-04-10 2023-05-01 2023-05-08 2023-05-29 2023-08-28 2023-12-25
2023-12-26
2024-01-01 2024-03-29 2024-04-01 2024-05-06 2024-05-27 2024-08-26 2024-12-25 2024-12-26
2025-01-01 2025-04-18 2025-04-21 2025-05-05 2025-05-26 2025-08-25 2025-12-25 2025-12-26
2026-01-01 2026-04-03 2026-04-06 2026-05-04 2026-05-25 2026-08-31 2026-12-25 2026-12-28
"""
OFFICIAL = _LISTED.split()
"""Bank holidays in England and Wales as the government announced them."""


def test_bank_holiday_eves_are_the_days_before_the_official_list() -> None:
    eves = calendar.bank_holiday_eves(date(2020, 12, 31), date(2026, 12, 30))
    assert eves == {date.fromisoformat(day) - timedelta(days=1) for day in OFFICIAL}


def test_new_years_eve_is_an_eve_though_the_holiday_is_in_the_next_year() -> None:
    assert calendar.bank_holiday_eves(date(2024, 12, 30), date(2024, 12, 31)) == {
        date(2024, 12, 31)
    }


@pytest.mark.parametrize(
    ("preset", "first", "last", "hours"),
    [
        ("nte-core", date(2021, 7, 5), date(2021, 7, 11), 18),
        ("nte-wide", date(2021, 7, 5), date(2021, 7, 11), 84),
        ("nte-late", date(2021, 7, 5), date(2021, 7, 11), 42),
        ("nte-peak", date(2021, 7, 5), date(2021, 7, 11), 28),
        ("nte-core", date(2021, 8, 23), date(2021, 8, 29), 27),  # Sunday 29 is an eve
        ("nte-core", date(2021, 10, 30), date(2021, 10, 30), 10),  # one hour twice
        ("nte-core", date(2021, 3, 27), date(2021, 3, 27), 8),  # one hour never
        ("nte-peak", date(2021, 10, 30), date(2021, 10, 30), 5),
    ],
)
def test_hours_of_the_presets(preset: str, first: date, last: date, hours: float) -> None:
    made = intervals(preset, first, last)
    assert (made["ends_at"] - made["starts_at"]).sum() == timedelta(hours=hours)


def test_core_hours_of_a_summer_friday() -> None:
    made = intervals("nte-core", date(2021, 7, 2), date(2021, 7, 2))
    assert made.rows() == [(date(2021, 7, 2), utc("2021-07-02 19:00"), utc("2021-07-03 04:00"))]


def test_a_start_in_the_skipped_hour_is_the_moment_of_the_change() -> None:
    odd = calendar.NteHours("odd", "", frozenset({6}), time(1, 30), time(4), False)
    made = calendar.nte_intervals(odd, first=date(2021, 3, 27), last=date(2021, 3, 27), events=None)
    assert made.rows() == [(date(2021, 3, 27), utc("2021-03-28 01:00"), utc("2021-03-28 03:00"))]


def test_both_instances_of_a_repeated_hour_lie_inside() -> None:
    odd = calendar.NteHours("odd", "", frozenset({6}), time(1), time(1, 30), False)
    made = calendar.nte_intervals(
        odd, first=date(2021, 10, 30), last=date(2021, 10, 30), events=None
    )
    assert made["starts_at"][0] == utc("2021-10-31 00:00")
    assert made["ends_at"][0] == utc("2021-10-31 01:30")


def events(*rows: tuple[str, datetime, datetime, str | None, bool]) -> pl.DataFrame:
    schema = {
        "event_id": pl.String,
        "starts_at": INSTANT,
        "ends_at": INSTANT,
        "hotspot_id": pl.String,
        "nte": pl.Boolean,
    }
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def test_events_are_added_merged_and_cut_at_six() -> None:
    listed = events(
        ("late", utc("2021-07-02 15:00"), utc("2021-07-02 21:00"), None, True),
        ("long", utc("2021-07-04 12:00"), utc("2021-07-06 12:00"), None, True),
        ("no", utc("2021-07-05 12:00"), utc("2021-07-08 14:00"), None, False),
        ("elsewhere", utc("2021-07-08 12:00"), utc("2021-07-08 14:00"), "H01", True),
        ("before", utc("2021-06-08 12:00"), utc("2021-06-08 14:00"), None, True),
    )
    made = intervals("nte-core", date(2021, 7, 2), date(2021, 7, 8), listed)
    assert made.rows() == [
        (date(2021, 7, 2), utc("2021-07-02 15:00"), utc("2021-07-03 04:00")),
        (date(2021, 7, 3), utc("2021-07-03 19:00"), utc("2021-07-04 04:00")),
        (date(2021, 7, 4), utc("2021-07-04 12:00"), utc("2021-07-05 05:00")),
        (date(2021, 7, 5), utc("2021-07-05 05:00"), utc("2021-07-06 05:00")),
        (date(2021, 7, 6), utc("2021-07-06 05:00"), utc("2021-07-06 12:00")),
    ]
    here = calendar.nte_intervals(
        CORE, first=date(2021, 7, 8), last=date(2021, 7, 8), events=listed, hotspot_id="H01"
    )
    assert here.height == 1


def test_bad_requests_are_refused() -> None:
    with pytest.raises(SettingsError):
        intervals(first=date(2021, 2, 1), last=date(2021, 1, 1))
    with pytest.raises(InputError, match="end before they start"):
        intervals(
            events=events(("x", utc("2021-07-02 15:00"), utc("2021-07-02 14:00"), None, True))
        )
    with pytest.raises(SettingsError, match="no time is left"):
        calendar.nte_intervals(
            calendar.NteHours("odd", "", frozenset({1}), time(5), time(20), False),
            first=date(2021, 7, 5),
            last=date(2021, 7, 5),
            events=None,
        )


def test_in_nte_includes_the_start_not_the_end_and_keeps_null() -> None:
    at = pl.Series(
        [local("2021-07-02 20:00"), local("2021-07-03 05:00"), None, local("2021-07-04 04:59")],
        dtype=INSTANT,
    )
    assert calendar.in_nte(at, intervals()).to_list() == [True, False, None, True]
    assert calendar.in_nte(at, intervals().clear()).to_list() == [False, False, None, False]


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        # Friday 20:00 to 06:00: 9 of 10 hours
        (
            local("2021-07-02 20:00"),
            local("2021-07-03 06:00"),
            [(date(2021, 7, 2), "nte", 0.9), (date(2021, 7, 2), "other", 0.1)],
        ),
        # the same across the October change: 10 of 11 real hours
        (
            local("2021-10-30 20:00"),
            local("2021-10-31 06:00"),
            [
                (date(2021, 10, 30), "nte", round(10 / 11, 12)),
                (date(2021, 10, 30), "other", round(1 / 11, 12)),
            ],
        ),
        # and across the March change: 8 of 9
        (
            local("2021-03-27 20:00"),
            local("2021-03-28 06:00"),
            [
                (date(2021, 3, 27), "nte", round(8 / 9, 12)),
                (date(2021, 3, 27), "other", round(1 / 9, 12)),
            ],
        ),
        # exact times, one second inside and one on the end
        (local("2021-07-04 02:30"), local("2021-07-04 02:30"), [(date(2021, 7, 3), "nte", 1.0)]),
        (local("2021-07-03 05:00"), local("2021-07-03 05:00"), [(date(2021, 7, 2), "other", 1.0)]),
        (local("2021-07-03 06:00"), local("2021-07-03 06:00"), [(date(2021, 7, 3), "other", 1.0)]),
        # Sunday 18:00 to Monday 08:00: two operating days
        (
            local("2021-07-04 18:00"),
            local("2021-07-05 08:00"),
            [
                (date(2021, 7, 4), "other", round(12 / 14, 12)),
                (date(2021, 7, 5), "other", round(2 / 14, 12)),
            ],
        ),
        # a window that ends at 06:00 does not touch the next operating day
        (
            local("2021-07-05 00:00"),
            local("2021-07-05 06:00"),
            [(date(2021, 7, 4), "other", 1.0)],
        ),
    ],
)
def test_uncertain_times_split_as_worked_by_hand(
    starts: datetime, ends: datetime, expected: list[tuple[date, str, float]]
) -> None:
    assert split(windows((starts, ends))) == expected


def test_a_window_of_three_weeks_has_a_row_for_each_operating_day() -> None:
    rows = calendar.aoristic(
        windows((local("2021-07-05 06:00"), local("2021-07-26 06:00"))), intervals()
    )
    assert rows["operating_day"].n_unique() == 21
    nte = rows.filter(hours="nte")["fraction"].sum()
    assert nte == pytest.approx(6 * 9 / (21 * 24), abs=1e-12)


def test_windows_that_cannot_be_placed_are_left_out_and_backward_ones_refused() -> None:
    at = local("2021-07-04 02:30")
    assert calendar.aoristic(windows((at, None), (None, at), (at, at)), intervals())[
        "event_row"
    ].to_list() == [2]
    empty = calendar.aoristic(windows(), intervals())
    assert empty.is_empty()
    assert empty.columns == ["event_row", "operating_day", "hours", "fraction"]
    with pytest.raises(InputError, match="event_row 1"):
        calendar.aoristic(windows((at, at), (at, at - timedelta(seconds=1))), intervals())


MINUTES = st.integers(0, 60 * 24 * 400)


@settings(max_examples=60, deadline=None)
@given(
    pairs=st.lists(st.tuples(MINUTES, st.integers(0, 60 * 80)), min_size=1, max_size=8),
    preset=st.sampled_from(sorted(calendar.NTE_PRESETS)),
)
def test_fractions_sum_to_one_and_equal_the_slow_obvious_overlap(
    pairs: list[tuple[int, int]], preset: str
) -> None:
    origin = utc("2021-02-01 00:00")
    times = [
        (origin + timedelta(minutes=a), origin + timedelta(minutes=a + length))
        for a, length in pairs
    ]
    stretches = intervals(preset)
    rows = calendar.aoristic(windows(*times), stretches)
    assert rows["fraction"].min() > 0  # type: ignore[operator]
    sums = rows.group_by("event_row").agg(pl.col("fraction").sum())["fraction"]
    assert np.allclose(sums.to_numpy(), 1, atol=1e-12)
    known = list(stretches.select("starts_at", "ends_at").iter_rows())
    for row, (starts, ends) in enumerate(times):
        nte = rows.filter(pl.col("event_row") == row, pl.col("hours") == "nte")["fraction"].sum()
        if starts == ends:
            assert nte == float(any(a <= starts < b for a, b in known))
            continue
        overlap = sum(
            max(timedelta(0), min(ends, b) - max(starts, a)).total_seconds() for a, b in known
        )
        assert nte * (ends - starts).total_seconds() == pytest.approx(overlap, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(minute=MINUTES, preset=st.sampled_from(sorted(calendar.NTE_PRESETS)))
def test_in_nte_equals_the_rule_read_on_the_local_clock(minute: int, preset: str) -> None:
    at = utc("2021-02-01 00:00") + timedelta(minutes=minute)
    wall = at.astimezone(LONDON)
    day = (wall.replace(tzinfo=None) - timedelta(hours=6)).date()
    rule = calendar.NTE_PRESETS[preset]
    after_six = (wall.hour * 60 + wall.minute - 360) % 1440
    starts = (rule.starts.hour * 60 - 360) % 1440
    ends = (rule.ends.hour * 60 - 360) % 1440 or 1440
    counts = day.isoweekday() in rule.weekdays or (day + timedelta(days=1)).isoformat() in OFFICIAL
    expected = counts and starts <= after_six < ends
    assert calendar.in_nte(pl.Series([at], dtype=INSTANT), intervals(preset)).to_list() == [
        expected
    ]


@pytest.mark.parametrize(
    ("kind", "first", "last", "expected"),
    [
        ("day", date(2021, 1, 1), date(2021, 1, 3), [date(2021, 1, d) for d in (1, 2, 3)]),
        ("week", date(2021, 1, 1), date(2021, 1, 24), [date(2021, 1, d) for d in (4, 11, 18)]),
        ("week", date(2021, 1, 5), date(2021, 1, 16), []),
        ("month", date(2021, 1, 2), date(2021, 3, 31), [date(2021, 2, 1), date(2021, 3, 1)]),
        ("month", date(2021, 1, 1), date(2021, 1, 30), []),
    ],
)
def test_only_whole_periods(kind: str, first: date, last: date, expected: list[date]) -> None:
    made = calendar.periods(first, last, kind=kind)  # type: ignore[arg-type]
    assert made["period_start"].to_list() == expected
    assert made.columns == ["period_start", "period_end"]


def test_periods_begin_and_end_where_a_calendar_says() -> None:
    days = pl.DataFrame({"day": [date(2024, 2, 14), date(2021, 12, 31), None]})
    made = days.select(
        *(
            calendar.period_start(pl.col("day"), kind=k).alias(f"{k} from")
            for k in ("week", "month")
        ),
        *(calendar.period_end(pl.col("day"), kind=k).alias(f"{k} to") for k in ("week", "month")),
    )
    assert made.rows() == [
        (date(2024, 2, 12), date(2024, 2, 1), date(2024, 2, 18), date(2024, 2, 29)),
        (date(2021, 12, 27), date(2021, 12, 1), date(2022, 1, 2), date(2021, 12, 31)),
        (None, None, None, None),
    ]
    with pytest.raises(SettingsError):
        calendar.periods(date(2021, 1, 1), date(2021, 1, 2), kind="quarter")  # type: ignore[arg-type]


def test_300_000_uncertain_times_take_less_than_two_seconds() -> None:
    rng = np.random.default_rng(20210719)
    starts = rng.integers(1_578_000_000, 1_670_000_000, 300_000) * 1_000_000
    lengths = np.where(rng.random(300_000) < 0.5, 0, rng.exponential(12 * 3600e6, 300_000))
    many = pl.DataFrame(
        {
            "event_row": np.arange(300_000),
            "occurred_from": starts,
            "occurred_to": starts + lengths.astype(np.int64),
        }
    ).with_columns(pl.col("occurred_from", "occurred_to").cast(INSTANT))
    stretches = intervals()
    began = perf_counter()
    rows = calendar.aoristic(many, stretches)
    assert perf_counter() - began < 2
    assert rows["fraction"].sum() == pytest.approx(300_000, abs=1e-6)
