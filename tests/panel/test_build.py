"""The grid, its zeros and its gaps; fractions, exposure, minutes and identities."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from placeproof import calendar
from placeproof.errors import IdentificationError, SettingsError
from placeproof.panel import build, build_many, reconcile, roll
from placeproof.tables import Panel, Place

FIRST, LAST = date(2021, 5, 1), date(2021, 9, 30)
MONTHS = [date(2021, m, 1) for m in range(5, 10)]
INSTANT = pl.Datetime("us", "UTC")


def _places(*rows: tuple[str, str, str, date | None]) -> pl.DataFrame:
    frame = pl.DataFrame(
        [
            dict.fromkeys(Place.column_names())
            | {"place_id": p, "kind": k, "group": g, "first_treated": t, "version": 1, "name": p}
            for p, k, g, t in rows
        ],
        schema={n: c.dtype for n, c in Place.columns().items()},
    )
    return Place.validate(frame)


PLACES = _places(
    ("H1", "hotspot", "treated", date(2021, 7, 26)),
    ("H2", "hotspot", "treated", date(2021, 8, 1)),
    ("C1", "comparison", "comparison", None),
)


def _events(*rows: tuple[str | None, str, str | None]) -> pl.DataFrame:
    """Events as (place, from, to) in UTC; a bare month has no time."""
    made = []
    for place, start, end in rows:
        if len(start) == 7:
            made.append((place, date.fromisoformat(f"{start}-01"), None, None))
        else:
            at = datetime.fromisoformat(start).replace(tzinfo=UTC)
            to = at if end is None else datetime.fromisoformat(end).replace(tzinfo=UTC)
            made.append((place, at.date().replace(day=1), at, to))
    return pl.DataFrame(
        made,
        schema={
            "place_id": pl.String,
            "month": pl.Date,
            "occurred_from": INSTANT,
            "occurred_to": INSTANT,
        },
        orient="row",
    )


def _build(events: pl.DataFrame, **changes: object) -> pl.DataFrame:
    settings: dict[str, object] = {
        "places": PLACES,
        "outcome_id": "robbery",
        "period_kind": "month",
        "first": FIRST,
        "last": LAST,
        "supplied_months": MONTHS,
        "nte_intervals": None,
    }
    return build(events, **(settings | changes))  # type: ignore[arg-type]


def _nte() -> pl.DataFrame:
    return calendar.nte_intervals(
        calendar.NTE_PRESETS["nte-core"], first=FIRST, last=LAST, events=None
    )


def _random_events(seed: int, n: int = 400) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    start = datetime(2021, 4, 25, tzinfo=UTC)
    at = [start + timedelta(minutes=int(m)) for m in rng.integers(0, 160 * 1440, n)]
    window = [timedelta(minutes=int(m)) for m in rng.choice([0, 0, 90, 600, 5000], n)]
    place = rng.choice(["H1", "H2", "C1", "elsewhere", None], n)
    return pl.DataFrame(
        {
            "place_id": [None if p is None else str(p) for p in place],
            "month": [t.date().replace(day=1) for t in at],
            "occurred_from": at,
            "occurred_to": [t + w for t, w in zip(at, window, strict=True)],
            "easting_m": [None if i % 10 == 0 and p is None else 1.0 for i, p in enumerate(place)],
        },
        schema_overrides={"occurred_from": INSTANT, "occurred_to": INSTANT},
    )


def test_months_are_a_full_grid_with_explicit_zeros() -> None:
    panel = _build(
        _events(("H1", "2021-05", None), ("H1", "2021-05", None), ("C1", "2021-09", None))
    )
    assert panel.shape[0] == 3 * 5
    counts = {(r["place_id"], r["period_start"].month): r["count"] for r in panel.to_dicts()}
    assert counts.pop(("H1", 5)) == 2
    assert counts.pop(("C1", 9)) == 1
    assert set(counts.values()) == {0.0}
    assert set(panel["hours"]) == {"all"}
    Panel.validate(panel)


def test_month_that_was_not_supplied_is_never_zero() -> None:
    panel = _build(_events(("H1", "2021-06", None)), supplied_months=MONTHS[:3])
    empty = panel.filter(pl.col("count").is_null())
    assert sorted(set(empty["period_start"])) == MONTHS[3:]
    # A study that starts before its data: the months before are unknown, not quiet.
    early = _build(_events(("H1", "2021-06", None)), first=date(2021, 1, 1))
    unknown = early.filter(pl.col("count").is_null())["period_start"].unique().sort().to_list()
    assert unknown == [date(2021, m, 1) for m in range(1, 5)]


def test_week_that_touches_a_missing_month_is_unknown() -> None:
    panel = _build(
        _events(("H1", "2021-06-15T12:00", None)), period_kind="week", supplied_months=MONTHS[1:]
    )
    by_week = dict(panel.filter(pl.col("place_id") == "H1").select("period_start", "count").rows())
    assert by_week[date(2021, 5, 31)] is None  # one day in May, six in June
    assert by_week[date(2021, 6, 7)] == 0
    assert by_week[date(2021, 6, 14)] == 1


def test_sunday_half_past_two_belongs_to_saturday_and_to_the_night() -> None:
    # Sunday 1 August 2021, 02:30 in Leicester is 01:30 UTC.
    panel = _build(
        _events(("H1", "2021-08-01T01:30", None)), period_kind="day", nte_intervals=_nte()
    )
    hit = panel.filter(pl.col("count") > 0).select("period_start", "hours", "count").rows()
    assert hit == [(date(2021, 7, 31), "all", 1.0), (date(2021, 7, 31), "nte", 1.0)]
    monthly = _build(_events(("H1", "2021-08-01T01:30", None)))
    assert monthly.filter(pl.col("count") > 0)["period_start"].to_list() == [date(2021, 7, 1)]


def test_uncertain_time_counts_in_fractions() -> None:
    # Friday 20:00 to Saturday 06:00 in Leicester (UTC + 1): nine hours of night, one of the rest.
    panel = _build(
        _events(("H1", "2021-06-04T19:00", "2021-06-05T05:00")),
        period_kind="week",
        nte_intervals=_nte(),
    )
    hit = dict(panel.filter(pl.col("count") > 0).select("hours", "count").rows())
    assert hit == {"all": pytest.approx(1), "nte": pytest.approx(0.9), "other": pytest.approx(0.1)}


def test_month_only_events_make_no_days_and_no_night() -> None:
    bare = _events(("H1", "2021-06", None))
    with pytest.raises(IdentificationError, match="none of 1 events has a time"):
        _build(bare, period_kind="day")
    assert set(_build(bare, nte_intervals=_nte())["hours"]) == {"all"}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        # Patrols start on Monday 26 July, and on Sunday 1 August.
        ("month", {"H1": (None, 0), "H2": (True, 0)}),
        ("week", {"H1": (True, 0), "H2": (None, 0)}),
        ("day", {"H1": (True, 0), "H2": (True, 0)}),
    ],
)
def test_period_of_the_first_day_is_treated_only_if_it_begins_with_it(
    kind: str, expected: dict[str, tuple[bool | None, int]]
) -> None:
    panel = _build(_events(("H1", "2021-06-15T12:00", None)), period_kind=kind)
    for place, (treated, event_time) in expected.items():
        mine = panel.filter(pl.col("place_id") == place)
        start = mine["first_treated"][0]
        holds = (pl.col("period_start") <= start) & (pl.col("period_end") >= start)
        row = mine.filter(holds).row(0, named=True)
        assert (row["treated"], row["event_time"]) == (treated, event_time)
        assert mine.filter(pl.col("period_end") < start)["treated"].any() is False
        assert mine.filter(pl.col("period_start") > start)["treated"].all()
        times = mine["event_time"].to_list()
        assert times == list(range(times[0], times[0] + len(times)))
    never = panel.filter(pl.col("place_id") == "C1")
    assert never["event_time"].null_count() == len(never)
    assert not never["treated"].any()


def test_place_treated_before_the_data_begin_is_treated_throughout() -> None:
    places = _places(("H0", "hotspot", "treated", date(2020, 1, 15)))
    panel = _build(_events(), places=places)
    assert panel["treated"].all()
    assert panel["event_time"].to_list() == [16, 17, 18, 19, 20]
    assert panel["count"].sum() == 0


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", ["day", "week", "month"])
def test_every_event_is_accounted_for(seed: int, kind: str) -> None:
    events = pl.concat(
        [_random_events(seed), _events(("H1", "2021-06", None))], how="diagonal_relaxed"
    )
    panel = _build(
        events, period_kind=kind, supplied_months=[*MONTHS[:2], *MONTHS[3:]], nte_intervals=_nte()
    )
    rows = reconcile(events, panel, outcome_label="Robbery", population="places", feeds="crime")
    fate = dict(rows.select("horizon", "estimate").rows())
    total = fate.pop("all")
    assert total == len(events)
    assert sum(fate.values()) == pytest.approx(total, abs=1e-9)
    assert fate["without a time"] == (0 if kind == "month" else 1)
    assert fate["outside the window"] > 0
    assert fate["in months not supplied"] > 0
    assert fate["without a location"] > 0
    every = panel.filter(pl.col("hours") == "all")["count"].sum()
    split = panel.filter(pl.col("hours") != "all")["count"].sum()
    assert split == pytest.approx(every - (1 if kind == "month" else 0))


def test_a_lost_event_does_not_go_unnoticed() -> None:
    events = _random_events(1)
    panel = _build(events.head(395))
    rows = reconcile(events, panel, outcome_label="Robbery", population="places", feeds="crime")
    assert '"unaccounted": 0.0' not in rows["diagnostics"][0]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("to", ["week", "month"])
def test_days_add_up_to_weeks_and_months(seed: int, to: str) -> None:
    events = _random_events(seed)
    options = {"nte_intervals": _nte(), "supplied_months": MONTHS[:4]}
    daily = _build(events, period_kind="day", **options)
    direct = _build(events, period_kind=to, **options)
    rolled = roll(daily, to=to)  # type: ignore[arg-type]
    keys = ["place_id", "period_start", "hours"]
    assert rolled.sort(keys).drop("count").equals(direct.sort(keys).drop("count"))
    np.testing.assert_allclose(
        rolled.sort(keys)["count"].to_numpy(), direct.sort(keys)["count"].to_numpy(), atol=1e-9
    )


def test_only_days_can_be_added_up() -> None:
    weekly = _build(_random_events(1), period_kind="week")
    with pytest.raises(SettingsError, match="only a panel of days"):
        roll(weekly, to="month")


def test_weight_two_equals_the_row_twice_and_order_changes_nothing() -> None:
    events = _random_events(2)
    double = _build(events.with_columns(weight=pl.lit(2.0)), nte_intervals=_nte())
    twice = _build(pl.concat([events, events]), nte_intervals=_nte())
    np.testing.assert_allclose(double["count"].to_numpy(), twice["count"].to_numpy(), atol=1e-9)
    shuffled = _build(events.sample(fraction=1.0, shuffle=True, seed=1), nte_intervals=_nte())
    np.testing.assert_allclose(
        shuffled["count"].to_numpy() * 2, double["count"].to_numpy(), atol=1e-9
    )


def test_minutes_are_joined_and_absence_is_not_zero() -> None:
    planned = pl.DataFrame(
        {
            "place_id": ["H1", "H1", "H1", "H1"],
            "operating_day": [date(2021, 7, d) for d in (1, 20)]
            + [date(2021, 8, 31), date(2021, 10, 5)],
            "minutes": [15.0, 30.0, 15.0, 60.0],
        }
    )
    panel = _build(_events(("H1", "2021-06", None)), planned=planned)
    got = {(r["place_id"], r["period_start"].month): r["planned_minutes"] for r in panel.to_dicts()}
    assert [got["H1", m] for m in range(5, 10)] == [None, None, 45.0, 15.0, 0.0]
    # Spanned by the frame: a hot spot that it never names was not tasked.
    assert [got["H2", m] for m in (7, 8)] == [0.0, 0.0]
    # A comparison place is no hot spot: nothing is known of it.
    assert got["C1", 7] is None
    assert panel["delivered_minutes"].null_count() == len(panel)


def test_no_events_is_a_grid_of_zeros() -> None:
    for kind in ("day", "week", "month"):
        panel = _build(_events(), period_kind=kind, nte_intervals=_nte())
        assert panel["count"].sum() == 0
        assert panel["count"].null_count() == 0
        rows = reconcile(
            _events(), panel, outcome_label="Robbery", population="places", feeds="crime"
        )
        assert rows["estimate"].sum() == 0


def test_no_place_and_no_period_are_refused() -> None:
    with pytest.raises(SettingsError, match="no place"):
        _build(_events(), places=PLACES.clear())
    with pytest.raises(SettingsError, match="no whole month"):
        _build(_events(), first=date(2021, 5, 2), last=date(2021, 5, 30))


def test_several_outcomes_stand_below_each_other() -> None:
    events = {"b": _events(("H1", "2021-06", None)), "a": _events()}
    panel = build_many(
        events,
        PLACES,
        period_kind="month",
        first=FIRST,
        last=LAST,
        supplied_months={"a": MONTHS, "b": MONTHS[:2]},
        nte_intervals=None,
    )
    assert panel["outcome"].unique(maintain_order=True).to_list() == ["a", "b"]
    assert panel.filter(pl.col("outcome") == "b")["count"].null_count() == 9
    empty = build_many(
        {},
        PLACES,
        period_kind="month",
        first=FIRST,
        last=LAST,
        supplied_months={},
        nte_intervals=None,
    )
    assert empty.is_empty()
