"""Dose by hand, by identity, and against a version that goes minute by minute."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from placeproof.calendar import NTE_PRESETS
from placeproof.patrols.additional import stated_officers, tasked_windows
from placeproof.patrols.dose import Reckoning, dose_of_visits
from placeproof.patrols.hours import BANDS, Clocks, clocks
from placeproof.patrols.minutes import delivered_minutes
from placeproof.tables import Dose, Event, Visit

from .conftest import START, at, filled, hotspot, hotspots, task, tasking
from .slow_dose import joined_visits, minutes_of_day, slow_dose

DAY = START.date()
"""Friday 3 May 2024; minute 0 is 21:00 local. The Monday after it is a bank holiday."""
FRIDAY, SATURDAY = DAY, DAY + timedelta(days=1)


def stay(device: str, first: float, last: float, **further: object) -> dict:
    """A visit of whole length, so that what is expected can be read off."""
    starts, ends = at(first), at(last)
    span = (ends - starts).total_seconds()
    return {
        "device_id": device,
        "hotspot_id": "H01",
        "arrived_at": starts,
        "left_at": ends,
        "seen_s": span,
        "dwell_s": span,
        "source": "pings",
        "method": "crossings",
        **further,
    }


def seen(*rows: dict) -> pl.DataFrame:
    schema = {name: column.dtype for name, column in Visit.columns().items()}
    return Visit.validate(pl.DataFrame(list(rows), schema=schema), cast=True)


def clock(first: date = FRIDAY, last: date = SATURDAY, events: object = None) -> Clocks:
    return clocks(first, last, presets=tuple(NTE_PRESETS), bands=True, events=events)


def dose(
    *rows: dict, days: tuple[date, ...] = (FRIDAY, SATURDAY), **further: object
) -> pl.DataFrame:
    given: dict = {
        "hotspots": hotspots(),
        "observed_days": pl.Series(days, dtype=pl.Date),
        "clocks": clock(min(days), max(days)) if days else clock(),
        "tasking": None,
        "tasked_by": "place",
        "officers": None,
        "vehicle_devices": (),
    }
    return dose_of_visits(seen(*rows), by=Reckoning(**(given | further)))


def cell(found: pl.DataFrame, hours: str = "all", day: date = FRIDAY) -> dict:
    row = found.filter(pl.col("hours") == hours, pl.col("operating_day") == day)
    assert row.height == 1, found
    return row.row(0, named=True)


def test_two_officers_together_ten_minutes_are_ten_patrol_and_twenty_person_minutes() -> None:
    row = cell(dose(stay("a", 0, 10), stay("b", 0, 10)))
    assert (row["patrol_minutes"], row["person_minutes"]) == (10.0, 20.0)
    assert (row["visits"], row["mean_visit_minutes"]) == (1, 10.0)
    assert row["persons_from"] == "devices"


def test_devices_that_overlap_are_joined_for_patrol_and_added_for_persons() -> None:
    row = cell(dose(stay("a", 0, 10), stay("b", 6, 20), stay("c", 40, 45)))
    assert (row["patrol_minutes"], row["person_minutes"]) == (25.0, 29.0)
    assert (row["visits"], row["mean_visit_minutes"]) == (2, 12.5)


def test_visits_that_touch_are_one_and_a_second_between_makes_two() -> None:
    assert cell(dose(stay("a", 0, 10), stay("b", 10, 20)))["visits"] == 1
    assert cell(dose(stay("a", 0, 10), stay("b", 10 + 1 / 60, 20)))["visits"] == 2


def test_a_vehicle_and_the_radio_of_its_driver_are_one_officer() -> None:
    rows = (stay("car", 0, 20), stay("radio", 5, 10))
    row = cell(dose(*rows, vehicle_devices=("car",)))
    assert (row["patrol_minutes"], row["person_minutes"]) == (20.0, 20.0)
    assert cell(dose(*rows))["person_minutes"] == 25.0


def test_officers_that_a_log_states_count_while_somebody_is_there() -> None:
    officers = pl.DataFrame(
        {"hotspot_id": ["H01"], "starts_at": [at(-5)], "ends_at": [at(6)], "officers": [2.0]}
    )
    row = cell(dose(stay("a", 0, 10), officers=officers))
    assert (row["person_minutes"], row["persons_from"]) == (16.0, "devices and statements")
    # Two devices are the two officers of the log, not four.
    both = cell(dose(stay("a", 0, 10), stay("b", 0, 10), officers=officers))
    assert (both["person_minutes"], both["persons_from"]) == (20.0, "devices")


def test_a_visit_across_bands_and_night_is_split_to_the_second() -> None:
    # 21:30 to 22:20:30 local on a Friday: 30 minutes in 18-22, the rest in 22-02.
    found = dose(stay("a", 30, 80.5))
    assert cell(found, "band:18-22")["patrol_minutes"] == 30.0
    assert cell(found, "band:22-02")["patrol_minutes"] == 20.5
    assert cell(found, "nte:nte-core")["patrol_minutes"] == 50.5
    assert cell(found, "nte:nte-peak")["patrol_minutes"] == 0.0
    assert cell(found, "other:nte-core")["patrol_minutes"] == 0.0
    # It began in one band and is one visit there, of its whole length.
    assert cell(found, "band:18-22")["visits"] == 1
    assert cell(found, "band:18-22")["mean_visit_minutes"] == 50.5
    assert cell(found, "band:22-02")["visits"] == 0
    assert cell(found, "band:22-02")["mean_visit_minutes"] is None


def test_a_visit_across_six_in_the_morning_belongs_to_two_days() -> None:
    # 05:50 to 06:10 on Saturday morning: ten minutes of Friday, ten of Saturday.
    found = dose(stay("a", 530, 550))
    assert cell(found, day=FRIDAY)["patrol_minutes"] == 10.0
    assert cell(found, day=SATURDAY)["patrol_minutes"] == 10.0
    assert (cell(found, day=FRIDAY)["visits"], cell(found, day=SATURDAY)["visits"]) == (1, 0)
    assert cell(found, "band:02-06", FRIDAY)["patrol_minutes"] == 10.0
    assert cell(found, "band:06-10", SATURDAY)["patrol_minutes"] == 10.0
    minutes = delivered_minutes(
        seen(stay("a", 530, 550)),
        hotspots=hotspots(),
        observed_days=pl.Series([FRIDAY, SATURDAY]),
        add_interval=True,
    )
    assert minutes["minutes"].to_list() == [10.0, 10.0]


def test_a_day_with_pings_and_no_visit_is_zero_and_a_day_without_pings_is_absent() -> None:
    sunday = SATURDAY + timedelta(days=1)
    found = dose(stay("a", 0, 10), days=(FRIDAY, sunday))
    assert found["operating_day"].unique().sort().to_list() == [FRIDAY, sunday]
    row = cell(found, day=sunday)
    assert (row["patrol_minutes"], row["person_minutes"], row["visits"]) == (0.0, 0.0, 0)
    assert row["longest_gap_minutes"] == 1440.0


def test_days_before_an_outline_held_are_absent_and_area_is_that_of_the_day() -> None:
    places = hotspots(
        hotspot("H01", 0, 0, 200, valid_from=FRIDAY, valid_to=FRIDAY),
        hotspot("H01", 0, 0, 100, valid_from=SATURDAY, version=2),
    )
    days = (FRIDAY - timedelta(days=1), FRIDAY, SATURDAY)
    found = dose(stay("a", 0, 10), stay("a", 1440, 1450), days=days, hotspots=places)
    assert found["operating_day"].unique().sort().to_list() == [FRIDAY, SATURDAY]
    assert cell(found, day=FRIDAY)["minutes_per_1000_m2"] == pytest.approx(10 / 40)
    assert cell(found, day=SATURDAY)["minutes_per_1000_m2"] == pytest.approx(10 / 10)


@pytest.mark.parametrize(
    ("day", "whole", "late"),
    [
        (date(2024, 10, 26), 1500, 300),
        (date(2024, 3, 30), 1380, 180),
        (date(2024, 5, 4), 1440, 240),
    ],
)
def test_clock_changes_lengthen_and_shorten_a_day(day: date, whole: int, late: int) -> None:
    found = dose(days=(day,))
    assert cell(found, day=day)["minutes_in_hours"] == whole
    assert cell(found, "band:22-02", day)["minutes_in_hours"] == late
    assert cell(found, "band:02-06", day)["minutes_in_hours"] == 240
    # All of them are Saturdays: 20:00 to 05:00 is nine hours of wall time.
    assert cell(found, "nte:nte-core", day)["minutes_in_hours"] == 540 + whole - 1440
    assert cell(found, day=day)["longest_gap_minutes"] == whole


def test_a_visit_through_the_october_hour_has_its_real_length() -> None:
    # 00:30 summer time to 02:30 winter time on 27 October 2024: three hours.
    first = datetime(2024, 10, 26, 23, 30, tzinfo=UTC)
    minute = (first - START).total_seconds() / 60
    found = dose(stay("a", minute, minute + 180), days=(date(2024, 10, 26),))
    day = date(2024, 10, 26)
    assert cell(found, day=day)["patrol_minutes"] == 180.0
    assert cell(found, "band:22-02", day)["patrol_minutes"] == 150.0
    assert cell(found, "band:02-06", day)["patrol_minutes"] == 30.0


def test_bank_holiday_eves_and_events_are_night_time_economy() -> None:
    sunday = date(2024, 5, 5)
    evening = 2 * 1440
    match = filled(
        Event,
        [
            {
                "event_id": "e1",
                "name": "Match",
                "starts_at": at(-420),
                "ends_at": at(-300),
                "hotspot_id": "H01",
                "nte": True,
            }
        ],
    )
    days = (FRIDAY, SATURDAY, sunday)
    found = dose(
        stay("a", evening, evening + 10),
        stay("a", -400, -395),
        days=days,
        clocks=clock(FRIDAY, sunday, match),
    )
    assert cell(found, "nte:nte-core", sunday)["patrol_minutes"] == 10.0
    assert cell(found, "nte:nte-core", FRIDAY)["patrol_minutes"] == 5.0
    assert cell(found, "nte:nte-core", FRIDAY)["minutes_in_hours"] == 540 + 120
    elsewhere = dose(
        stay("a", -400, -395, hotspot_id="H02"),
        hotspots=hotspots(hotspot("H02", 0, 0)),
        days=days,
        clocks=clock(FRIDAY, sunday, match),
    )
    assert cell(elsewhere, "nte:nte-core", FRIDAY)["patrol_minutes"] == 0.0


def test_additional_is_presence_in_windows_that_were_not_cancelled() -> None:
    tasks = tasking(task(1, 5, 15, 15), task(2, 10, 25, 15), task(3, 30, 60, 15, cancelled=True))
    row = cell(dose(stay("a", 0, 12), stay("b", 8, 20), stay("a", 40, 50), tasking=tasks))
    # There from 0 to 20 and 40 to 50; tasked from 5 to 25.
    assert (row["additional_minutes"], row["background_minutes"]) == (15.0, 15.0)


def test_by_unit_only_the_unit_asked_for_is_additional() -> None:
    tasks = tasking(task(1, 0, 30, 15, unit_id="a"), task(2, 60, 90, 15))
    rows = (stay("a", 20, 40), stay("b", 0, 10), stay("b", 60, 70))
    by_unit = cell(dose(*rows, tasking=tasks, tasked_by="unit"))
    assert (by_unit["additional_minutes"], by_unit["background_minutes"]) == (20.0, 20.0)
    by_place = cell(dose(*rows, tasking=tasks))
    assert (by_place["additional_minutes"], by_place["background_minutes"]) == (30.0, 10.0)


def test_outside_the_days_of_tasking_nothing_is_called_background() -> None:
    found = dose(stay("a", 0, 12), stay("a", 1440, 1450), tasking=tasking(task(1, 0, 30, 15)))
    assert cell(found, day=FRIDAY)["additional_minutes"] == 12.0
    assert cell(found, day=SATURDAY)["additional_minutes"] is None
    assert cell(found, day=SATURDAY)["background_minutes"] is None


def test_windows_by_unit_join_across_midnight_once() -> None:
    asked = tasking(task(1, 100, 300, 15, unit_id="a"))
    stays = pl.DataFrame(
        {"hotspot_id": ["H01"], "unit_id": ["a"], "starts_at": [at(90)], "ends_at": [at(290)]}
    )
    found = tasked_windows(asked, stays, tasked_by="unit")
    assert found.rows() == [("H01", at(100), at(290))]


def test_uncertainty_is_that_of_the_two_ends() -> None:
    # Two apart: variances add. Two together with the same error: one first end, one last end.
    apart = cell(dose(stay("a", 0, 10, dwell_sd_s=30.0), stay("b", 20, 30, dwell_sd_s=40.0)))
    assert apart["patrol_minutes_sd"] == pytest.approx(50 / 60)
    together = cell(dose(stay("a", 0, 10, dwell_sd_s=30.0), stay("b", 0, 10, dwell_sd_s=30.0)))
    assert together["patrol_minutes_sd"] == pytest.approx(30 / 60)
    chained = cell(dose(stay("a", 0, 10, dwell_sd_s=30.0), stay("b", 5, 20, dwell_sd_s=40.0)))
    assert chained["patrol_minutes_sd"] == pytest.approx((30**2 / 2 + 40**2 / 2) ** 0.5 / 60)
    within = cell(dose(stay("a", 0, 30, dwell_sd_s=30.0), stay("b", 5, 10, dwell_sd_s=40.0)))
    assert within["patrol_minutes_sd"] == pytest.approx(30 / 60)


def test_uncertainty_of_a_split_visit_stays_with_its_ends() -> None:
    found = dose(stay("a", 30, 80, dwell_sd_s=30.0))
    each = (30**2 / 2) ** 0.5 / 60
    assert cell(found, "band:18-22")["patrol_minutes_sd"] == pytest.approx(each)
    assert cell(found, "band:22-02")["patrol_minutes_sd"] == pytest.approx(each)
    assert cell(found)["patrol_minutes_sd"] == pytest.approx(0.5)


def test_uncertainty_is_null_where_a_visit_has_none() -> None:
    found = dose(stay("a", 0, 10, dwell_sd_s=30.0), stay("b", 1440, 1450))
    assert cell(found, day=FRIDAY)["patrol_minutes_sd"] == 0.5
    assert cell(found, day=SATURDAY)["patrol_minutes_sd"] is None
    assert dose(stay("a", 0, 10))["patrol_minutes_sd"].null_count() == 30


def test_visible_minutes_are_those_of_the_most_visible() -> None:
    rows = (stay("a", 0, 10, visible_s=300.0), stay("b", 0, 10, visible_s=600.0))
    assert cell(dose(*rows))["visible_minutes"] == pytest.approx(10.0)
    assert cell(dose(rows[0]))["visible_minutes"] == pytest.approx(5.0)
    assert cell(dose(rows[0], stay("c", 20, 30)))["visible_minutes"] is None
    assert cell(dose(rows[0], stay("c", 20, 30)), "band:06-10")["visible_minutes"] == 0.0


def test_longest_gap_is_cut_where_hours_end() -> None:
    # Friday 21:00 to 21:30 local and 23:30 to 23:45.
    found = dose(stay("a", 0, 30), stay("a", 150, 165))
    assert cell(found)["longest_gap_minutes"] == 900.0
    assert cell(found, "band:18-22")["longest_gap_minutes"] == 180.0
    assert cell(found, "band:22-02")["longest_gap_minutes"] == 135.0
    assert cell(found, "nte:nte-core")["longest_gap_minutes"] == 315.0
    # Other hours on a Friday are 06:00 to 20:00 and 05:00 to 06:00: two stretches.
    assert cell(found, "other:nte-core")["longest_gap_minutes"] == 840.0
    instant = dose(stay("a", 60, 60))
    assert cell(instant)["longest_gap_minutes"] == 960.0
    assert cell(instant)["visits"] == 1


def test_hours_that_do_not_exist_on_a_day_have_no_length_and_no_gap() -> None:
    monday = date(2024, 4, 29)
    row = cell(dose(days=(monday,)), "nte:nte-core", monday)
    assert (row["minutes_in_hours"], row["patrol_minutes"]) == (0.0, 0.0)
    assert row["longest_gap_minutes"] is None


def test_presence_past_the_last_day_with_pings_is_left_out() -> None:
    found = dose(stay("a", 530, 550), days=(FRIDAY,))
    assert found["patrol_minutes"].max() == 10.0


def test_presence_that_began_before_the_first_day_counts_from_its_opening() -> None:
    found = dose(stay("a", 530, 550), stay("a", 200, 210), days=(SATURDAY,))
    row = cell(found, day=SATURDAY)
    assert (row["patrol_minutes"], row["visits"]) == (10.0, 0)
    assert row["longest_gap_minutes"] == 1430.0


def test_nothing_in_is_nothing_out() -> None:
    Dose.validate(dose())
    assert dose()["patrol_minutes"].sum() == 0.0
    assert dose(stay("a", 0, 10), days=()).is_empty()
    assert dose(stay("a", 0, 10, hotspot_id="H99"))["patrol_minutes"].sum() == 0.0


def test_clocks_that_do_not_cover_the_days_are_refused() -> None:
    with pytest.raises(ValueError, match="cover"):
        dose(days=(date(2022, 1, 1),), clocks=clock())


def test_statements_without_end_or_officers_say_nothing() -> None:
    tasks = tasking(
        task(1, 0, 30, 15, officers=2), task(2, 0, 30, 15), task(3, 5, 5, 1, officers=3)
    )
    found = stated_officers(patrol_log=None, tasking=tasks)
    assert found.rows() == [("H01", at(0), at(30), 2.0)]
    assert stated_officers(patrol_log=None, tasking=None).is_empty()


MINUTES = st.integers(0, 2 * 1440 - 1)
NIGHTS = st.sampled_from([date(2024, 10, 26), date(2024, 3, 30), date(2024, 5, 5)])


@st.composite
def stays_of_two_days(draw: st.DrawFn) -> tuple[date, list[dict], list, list, list]:
    """Stays, windows, statements and an event on the eve and day of a clock change or holiday."""
    day = draw(NIGHTS)
    opens = datetime(day.year, day.month, day.day, 5, tzinfo=UTC)

    def span(longest: int) -> tuple[datetime, datetime]:
        first = opens + timedelta(minutes=draw(MINUTES))
        return first, first + timedelta(minutes=draw(st.integers(1, longest)))

    stays = []
    for number in range(draw(st.integers(0, 6))):
        starts, ends = span(300)
        stays.append(
            {
                "device": f"d{number}",
                "starts": starts,
                "ends": ends,
                "vehicle": draw(st.booleans()),
                "visible": draw(st.sampled_from([0.0, 0.25, 1.0])),
            }
        )
    windows = [span(600) for _ in range(draw(st.integers(0, 3)))]
    statements = [(*span(400), draw(st.integers(1, 3))) for _ in range(draw(st.integers(0, 2)))]
    events = [span(900) for _ in range(draw(st.integers(0, 1)))]
    return day, stays, windows, statements, events


@settings(max_examples=25, deadline=None)
@given(stays_of_two_days())
def test_minute_by_minute_gives_the_same(
    drawn: tuple[date, list[dict], list, list, list],
) -> None:
    day, stays, windows, statements, events = drawn
    days = [day, day + timedelta(days=1)]
    expected = slow_dose(stays, days, windows, statements, events)
    found = measured_fast(drawn, days)
    assert found["additional_minutes"].null_count() in (0, found.height)
    for row in found.iter_rows(named=True):
        slow = expected.get((row["operating_day"], row["hours"]))
        if slow is None:
            assert (row["minutes_in_hours"], row["patrol_minutes"]) == (0.0, 0.0)
            continue
        assert row["minutes_in_hours"] == slow["hours"]
        assert row["patrol_minutes"] == pytest.approx(slow["patrol"])
        assert row["person_minutes"] == pytest.approx(slow["person"])
        assert row["visible_minutes"] == pytest.approx(slow["visible"])
        assert row["longest_gap_minutes"] == pytest.approx(slow["gap"])
        if row["additional_minutes"] is not None:
            assert row["additional_minutes"] == pytest.approx(slow["tasked"])
    visits = found.filter(pl.col("hours") == "all")["visits"].sum()
    last = minutes_end(days)
    assert visits == sum(
        first < last for first, _ in joined_visits(stays) if first >= day_opens(day)
    )


@settings(max_examples=25, deadline=None)
@given(stays_of_two_days())
def test_parts_add_up_to_the_whole(drawn: tuple[date, list[dict], list, list, list]) -> None:
    days = [drawn[0], drawn[0] + timedelta(days=1)]
    found = measured_fast(drawn, days)
    whole = found.filter(pl.col("hours") == "all").sort("operating_day")
    parted = {"band": [f"band:{name}" for name in BANDS]} | {
        preset: [f"nte:{preset}", f"other:{preset}"] for preset in NTE_PRESETS
    }
    for names in parted.values():
        parts = found.filter(pl.col("hours").is_in(names)).with_columns(
            variance=pl.col("patrol_minutes_sd") ** 2
        )
        for column in (
            "patrol_minutes",
            "person_minutes",
            "visible_minutes",
            "visits",
            "minutes_in_hours",
        ):
            added = parts.group_by("operating_day").agg(pl.col(column).sum()).sort("operating_day")
            assert added[column].to_list() == pytest.approx(whole[column].to_list())
        added = parts.group_by("operating_day").agg(pl.col("variance").sum()).sort("operating_day")
        squares = (whole["patrol_minutes_sd"] ** 2).fill_null(0.0).to_list()
        assert added["variance"].to_list() == pytest.approx(squares)
    known = found.drop_nulls("additional_minutes")
    total = known["additional_minutes"] + known["background_minutes"]
    assert total.to_list() == pytest.approx(known["patrol_minutes"].to_list())
    assert (found["person_minutes"] >= found["patrol_minutes"] - 1e-9).all()


def test_places_do_not_touch_each_other() -> None:
    names = ("H01", "H02", "H03")
    rng = np.random.default_rng(7)
    rows = [
        stay(
            f"d{rng.integers(4)}",
            first := float(rng.uniform(-700, 1500)),
            first + float(rng.exponential(40)),
            hotspot_id=names[int(rng.integers(3))],
            dwell_sd_s=float(rng.uniform(1, 60)),
            visible_s=0.0,
        )
        for _ in range(120)
    ]
    together = dose(*rows, hotspots=hotspots(*(hotspot(name, 0, 0) for name in names)))
    apart = [
        dose(
            *(row for row in rows if row["hotspot_id"] == name),
            hotspots=hotspots(hotspot(name, 0, 0)),
        )
        for name in names
    ]
    assert_frame_equal(together, pl.concat(apart))


def as_pings_show(rng: np.random.Generator, device: str, first: float, last: float) -> dict:
    """A stay of one device that reports every minute from a random moment on."""
    phase = float(rng.uniform(0, 1))
    begun, over = np.ceil(first - phase) + phase, np.floor(last - phase) + phase
    return stay(device, begun, over, dwell_s=(over - begun + 1) * 60, dwell_sd_s=60 / 6**0.5)


def test_uncertainty_is_that_of_truth() -> None:
    """Known stays, one ping a minute: errors are as large as said, and one device has no bias."""
    rng = np.random.default_rng(20240503)
    days = [FRIDAY + timedelta(days=n) for n in range(250)]
    rows, truth = [], []
    for n in range(len(days)):
        starts = -600 + 1440 * n + np.cumsum(rng.uniform(100, 200, 4))
        lengths = rng.uniform(5, 30, 4)
        rows += [as_pings_show(rng, "a", x, x + y) for x, y in zip(starts, lengths, strict=True)]
        truth.append(lengths.sum())
    found = dose(*rows, days=tuple(days)).filter(pl.col("hours") == "all")
    error = (found["patrol_minutes"] - pl.Series(truth)).to_numpy()
    scaled = error / found["patrol_minutes_sd"].to_numpy()
    # 250 days: the mean has a standard error of 0.063, the deviation of 0.045; three of each.
    assert abs(scaled.mean()) < 0.19
    assert abs(scaled.std() - 1) < 0.135


def test_two_devices_together_are_long_by_a_third_of_an_interval() -> None:
    """As docs/explanation/dose.md says: the first of two first pings is nearer to the arrival."""
    rng = np.random.default_rng(20240504)
    rows = [
        as_pings_show(rng, device, first, first + 15)
        for first in np.arange(-600, 800, 20) + rng.uniform(0, 1, 70)
        for device in ("a", "b")
    ]
    found = dose(*rows, days=(FRIDAY,), clocks=clock()).filter(pl.col("hours") == "all")
    inside = [row for row in rows if row["arrived_at"] < at(540)]
    bias = found["patrol_minutes"].item() / (len(inside) / 2) - 15
    # One joined visit has an error of 0.33 min; 57 of them 0.044: three of those.
    assert abs(bias - 1 / 3) < 0.14
    each = found["person_minutes"].item() / len(inside) - 15
    assert abs(each) < 0.14


def day_opens(day: date) -> datetime:
    return minutes_of_day(day)[0]


def minutes_end(days: list[date]) -> datetime:
    return minutes_of_day(days[-1])[-1] + timedelta(minutes=1)


def measured_fast(
    drawn: tuple[date, list[dict], list, list, list], days: list[date]
) -> pl.DataFrame:
    _, stays, windows, statements, events = drawn
    rows = [
        stay(
            one["device"],
            (one["starts"] - START).total_seconds() / 60,
            (one["ends"] - START).total_seconds() / 60,
            visible_s=one["visible"] * (one["ends"] - one["starts"]).total_seconds(),
            dwell_sd_s=10.0,
        )
        for one in stays
    ]
    tasks = tasking(
        *(
            task(n, 0, 0, 15, window_from=first, window_to=last)
            for n, (first, last) in enumerate(windows)
        ),
        # Tasking speaks of both days, whatever was drawn.
        *(
            task(90 + n, 0, 0, 15, window_from=day_opens(day), window_to=day_opens(day))
            for n, day in enumerate(days)
        ),
    )
    officers = pl.DataFrame(
        [("H01", first, last, float(n)) for first, last, n in statements],
        schema={
            "hotspot_id": pl.String,
            "starts_at": pl.Datetime("us", "UTC"),
            "ends_at": pl.Datetime("us", "UTC"),
            "officers": pl.Float64,
        },
        orient="row",
    )
    happened = filled(
        Event,
        [
            {"event_id": "e", "name": "e", "starts_at": first, "ends_at": last, "nte": True}
            for first, last in events
        ],
    )
    return dose(
        *rows,
        days=tuple(days),
        clocks=clock(days[0], days[-1], happened),
        tasking=tasks,
        officers=officers,
        vehicle_devices=[one["device"] for one in stays if one["vehicle"]],
    )
