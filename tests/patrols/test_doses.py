"""The dose of a study as one call: every mixture of sources, any order of rows, bad input."""

from datetime import timedelta

import polars as pl
import pytest

from placeproof.answers.findings import DESCRIPTIVE_KEYS
from placeproof.calendar import NTE_PRESETS
from placeproof.patrols.additional import stated_officers
from placeproof.patrols.doses import DoseRules, Doses, doses
from placeproof.patrols.minutes import device_days, stated_minutes
from placeproof.patrols.rows import finished
from placeproof.patrols.visits import visits
from placeproof.tables import Dose, estimate

from .conftest import START, at, delivered, hotspot, hotspots, logs, pings, task, tasking
from .test_reconcile import visit

RULES = DoseRules(
    presets=tuple(NTE_PRESETS),
    nte_id="nte-core",
    bands=True,
    longest_gap_s=90.0,
    shortest_dwell_s=0.0,
    made_by="order_free",
    tasked_by="place",
    vehicle_devices=frozenset(),
    without_gps=frozenset({"wardens"}),
)


def run(seen: pl.DataFrame | None = None, **further: object) -> Doses:
    places = further.pop("hotspots", hotspots(hotspot("H01", 0, 0), hotspot("H02", 900, 0)))
    visit_table = None
    if seen is not None and isinstance(places, pl.DataFrame):
        visit_table = visits(seen, places, longest_gap_s=90.0, shortest_dwell_s=0.0)
    given: dict = {
        "visit": visit_table,
        "device_days": None if seen is None else device_days(seen),
        "hotspots": places,
        "tasking": None,
        "delivered": None,
        "officers": None,
        "events": None,
        "ring_visits": {},
        "rules": RULES,
    }
    return doses(**(given | further))


def patrol(device: str, first: int, last: int, place: float = 100) -> list[tuple]:
    return [(device, minute, place, 100) for minute in range(first, last + 1)]


def rows_of(found: Doses) -> pl.DataFrame:
    table = estimate.rows(finished(found.rows))
    assert table.select(DESCRIPTIVE_KEYS).is_unique().all()
    return table


SEEN = [*patrol("a", 0, 12), *patrol("b", 5, 20), *patrol("a", 500, 560, 1000)]
STATED = (
    visit(5, 30, officers=2),
    visit(540, 545, hotspot_id="H02"),
    {"minutes": 60.0, "delivered_by": "wardens", "officers": 1},
)
ASKED = (task(1, 0, 30, 15, unit_id="a"), task(2, 520, 600, 15, hotspot_id="H02"))


def test_all_sources_stand_apart_and_together() -> None:
    book = stated_officers(patrol_log=logs(("H01", 0, 30)), tasking=None)
    found = run(
        pings(*SEEN),
        delivered=delivered(*STATED),
        tasking=tasking(*ASKED),
        officers=book,
    )
    Dose.validate(found.dose)
    key = ["hotspot_id", "operating_day", "hours", "source", "delivered_by"]
    assert found.dose.select(key).is_unique().all()
    assert set(found.dose["source"]) == {"pings", "delivered", "reconciled"}
    table = rows_of(found)
    assert set(table.filter(pl.col("status") != "estimated")["outcome"]) == {
        "visible_presence",
        "gap_at_most_2_hours",
        "gap_between_visits",
    }
    whole = found.dose.filter(pl.col("hours") == "all").group_by("source").agg(
        pl.col("patrol_minutes").sum()
    )  # fmt: skip
    total = dict(whole.rows())
    # One minute of interval after each stay: 0 to 21 and 500 to 561; wardens on top.
    assert total["pings"] == pytest.approx(21 + 61)
    assert total["reconciled"] == pytest.approx(21 + 61 + 60)
    assert total["delivered"] == pytest.approx(25 + 5 + 60)
    assert stated_minutes(delivered(*STATED))["minutes"].sum() == pytest.approx(total["delivered"])


def test_minutes_from_first_to_last_ping_stand_beside_in_all_and_by_month() -> None:
    table = rows_of(run(pings(*SEEN))).filter(pl.col("method") == "pings_occupied_raw")
    assert table.select("subgroup", "horizon", "estimate").rows() == [
        ("all", "2024-05", pytest.approx(80.0)),
        ("all", "all", pytest.approx(80.0)),
    ]


def test_rows_in_any_order_give_the_same_bytes() -> None:
    tables = {
        "delivered": delivered(*STATED),
        "tasking": tasking(*ASKED),
    }
    one = run(pings(*SEEN), **tables)
    mixed = {name: t.sample(fraction=1, shuffle=True, seed=5) for name, t in tables.items()}
    two = run(pings(*SEEN).sample(fraction=1, shuffle=True, seed=5), **mixed)
    assert one.dose.equals(two.dose)
    assert rows_of(one).write_json() == rows_of(two).write_json()


def test_visits_in_any_order_give_the_same_dose() -> None:
    seen = pings(*SEEN)
    places = hotspots(hotspot("H01", 0, 0), hotspot("H02", 900, 0))
    made = visits(seen, places, longest_gap_s=90.0, shortest_dwell_s=0.0)
    assert run(seen).dose.equals(run(seen, visit=made.reverse()).dose)


def test_nothing_supplied_says_what_is_missing() -> None:
    found = run()
    assert found.dose.is_empty()
    Dose.validate(found.dose)
    table = rows_of(found)
    assert dict(table.select("outcome", "status").rows()) == dict.fromkeys(
        ("delivered_minutes", "stated_minutes", "planned_minutes"), "not_supplied"
    )


@pytest.mark.parametrize(
    ("seen", "tables"),
    [
        ([("car", 0, 5000, 5000)], {}),
        ([("car", 0, 100, 100)], {}),
        ([("car", 0, 100, 100)], {"tasking": tasking(task(1, 60, 0, 15), task(2, 0, 0, 0))}),
        ([("car", 0, 100, 100)], {"tasking": tasking()}),
        ([("car", 0, 100, 100)], {"delivered": delivered()}),
        ([("car", 0, 100, 100)], {"delivered": delivered(visit(20, 10, minutes=4.0), visit(5, 5))}),
        ([("car", 0, 100, 100)], {"delivered": delivered({"minutes": 0.0})}),
        ([("car", 0, 100, 100)], {"hotspots": None, "delivered": delivered(visit(0, 10))}),
        ([], {"tasking": tasking(task(1, 0, 30, 15, hotspot_id="H99"))}),
        (None, {"delivered": delivered(visit(0, 10, hotspot_id="H99")), "hotspots": None}),
        (None, {"tasking": tasking(task(1, 0, 30, 15)), "hotspots": None}),
    ],
)
def test_bad_input_never_crashes(seen: list[tuple] | None, tables: dict) -> None:
    found = run(None if seen is None else pings(*seen), **tables)
    Dose.validate(found.dose)
    blank = rows_of(found).filter(pl.col("estimate").is_null())
    assert set(blank["status"]) <= {"not_supplied", "not_identified"}
    assert blank["reason"].null_count() == 0


def test_places_with_their_own_events_keep_their_order() -> None:
    from placeproof.tables import Event

    from .conftest import filled

    event = {"event_id": "e", "name": "e", "starts_at": at(-60), "ends_at": at(-30), "nte": True}
    found = run(pings(*SEEN), events=filled(Event, [event | {"hotspot_id": "H01"}]))
    alone = run(pings(*SEEN))
    assert found.dose["hotspot_id"].is_sorted()
    nights = found.dose.filter(pl.col("hours") == "nte:nte-core", operating_day=START.date())
    # 20:00 local is minute -60: the event lies inside the night already for both places.
    assert nights["minutes_in_hours"].to_list() == [540.0, 540.0]
    assert found.dose.select("hotspot_id", "operating_day", "hours").equals(
        alone.dose.select("hotspot_id", "operating_day", "hours")
    )


def test_rings_have_rows_of_their_own() -> None:
    seen = pings(*SEEN)
    ring = visits(
        seen, hotspots(hotspot("H01", 0, 0), hotspot("H02", 900, 0)), longest_gap_s=90.0,
        shortest_dwell_s=0.0,
    )  # fmt: skip
    table = rows_of(run(seen, ring_visits={"ring 0-100 m": ring}))
    rows = table.filter(pl.col("outcome") == "ring_minutes", pl.col("hours") == "all")
    assert set(rows["population"]) == {"ring 0-100 m"}
    assert set(rows["method"]) == {"pings_occupied_with_interval"}


def test_few_places_at_once_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(pings(*SEEN), tasking=tasking(*ASKED)).dose
    monkeypatch.setattr("placeproof.patrols.dose.CELLS_AT_ONCE", 1)
    assert run(pings(*SEEN), tasking=tasking(*ASKED)).dose.equals(whole)


def test_a_day_of_the_far_past_in_tasking_does_not_explode() -> None:
    early = START - timedelta(days=365 * 30)
    odd = task(9, 0, 30, 15, window_from=early, window_to=early + timedelta(minutes=30))
    found = run(pings(*SEEN), tasking=tasking(*ASKED, odd))
    assert found.dose["operating_day"].n_unique() == 2
