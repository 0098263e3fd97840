"""Logs against visits, activities in classes, interactions per hour, text for coding."""

import json
from datetime import date, timedelta

import polars as pl
import pytest

from placeproof.calendar import NTE_PRESETS, nte_intervals
from placeproof.errors import SettingsError
from placeproof.patrols.activities import read_taxonomy, taxonomy, unmapped, with_classes
from placeproof.patrols.claims import (
    activity_rows,
    held_log_rows,
    interaction_rows,
    search_rows,
    unlogged_rows,
)
from placeproof.patrols.dividing import Night
from placeproof.patrols.interactions import COUNTS, ledger, searches_by_day, unplaced_searches
from placeproof.patrols.logs import STATUSES, held_logs, observations, unlogged
from placeproof.patrols.reported import reporting
from placeproof.tables import PatrolLog, StopSearch, Turn, estimate

from .conftest import EAST, NORTH, START, at, filled, hotspot, hotspots, pings
from .test_compliance import stay, stays

DAY = START.date()
NIGHT = Night(
    nte_intervals(
        NTE_PRESETS["nte-core"], first=date(2024, 4, 1), last=date(2024, 6, 30), events=None
    ),
    "nte-core",
)


def log(number: int, place: str, first: float, last: float | None, **further: object) -> dict:
    return {
        "log_id": f"l{number}",
        "hotspot_id": place,
        "started_at": at(first),
        "ended_at": None if last is None else at(last),
        **further,
    }


def book(*rows: dict) -> pl.DataFrame:
    return filled(PatrolLog, list(rows))


def statuses(logs: pl.DataFrame, visit: pl.DataFrame, **changes: object) -> dict[str, str]:
    given: dict[str, object] = {
        "tolerance_s": 180.0,
        "observed_days": pl.Series([DAY]),
        "reported": None,
        "unit_of_device": None,
    }
    found = held_logs(logs, visit, **(given | changes))
    return dict(found.select("log_id", "status").rows())


def reports(*rows: tuple[str, float, float]) -> pl.DataFrame:
    return pl.DataFrame(
        [{"device_id": d, "from_at": at(first), "to_at": at(last)} for d, first, last in rows]
    )


def test_by_place_and_time_alone() -> None:
    visit = stays(stay("H01", at(0), at(12)))
    logs = book(
        log(0, "H01", 2, 10),
        log(1, "H01", 14, 20),
        log(2, "H01", 60, 70),
        log(3, "H02", 2, 10),
        log(4, "H01", 5, None),
        log(5, "H01", -5, -1),
        log(6, "H01", 5 * 1440, 5 * 1440 + 9),
        log(7, "H01", 16, 20),
    )
    assert statuses(logs, visit) == {
        "l0": "matched",
        "l1": "matched",
        "l2": "no_presence",
        "l3": "no_presence",
        "l4": "matched",
        "l5": "matched",
        "l6": "not_observed",
        "l7": "no_presence",
    }


def test_units_are_compared_where_both_sides_name_them() -> None:
    visit = stays(
        stay("H01", at(0), at(12), device="A"),
        stay("H01", at(60), at(70), device="B"),
        stay("H01", at(120), at(130), device="B"),
    )
    said = reports(("A", 0, 90), ("B", 0, 600), ("C", 0, 200))
    logs = book(
        log(0, "H01", 2, 10, unit_id="A"),
        log(1, "H01", 62, 68, unit_id="A"),  # B was there, A reported from elsewhere
        log(2, "H01", 122, 128, unit_id="A"),  # B was there, A said nothing
        log(3, "H01", 30, 40, unit_id="A"),  # nobody was there, A reported
        log(4, "H01", 200, 220, unit_id="A"),  # nobody was there, A said nothing
        log(5, "H01", 200, 220),  # no unit named: B goes there and reported
        log(6, "H01", 62, 68),
        log(7, "H01", 62, 68, unit_id="stranger"),
    )
    found = held_logs(
        logs,
        visit,
        tolerance_s=60.0,
        observed_days=pl.Series([DAY]),
        reported=said,
        unit_of_device=None,
    )
    assert dict(found.select("log_id", "status").rows()) == {
        "l0": "matched",
        "l1": "elsewhere",
        "l2": "other_unit",
        "l3": "no_presence",
        "l4": "not_observed",
        "l5": "no_presence",
        "l6": "matched",
        "l7": "matched",
    }
    basis = dict(found.select("log_id", "compared_by").rows())
    assert {basis[f"l{n}"] for n in (5, 6, 7)} == {"place_time"}
    assert {basis[f"l{n}"] for n in range(5)} == {"place_time_unit"}
    assert set(found["status"]) == set(STATUSES)
    assert "unit_id" not in found.columns


def test_days_alone_cannot_say_that_a_unit_was_elsewhere() -> None:
    visit = stays(stay("H01", at(0), at(12), device="A"), stay("H01", at(60), at(70), device="B"))
    logs = book(
        log(0, "H01", 62, 68, unit_id="A"),
        log(1, "H01", 200, 210, unit_id="A"),
        log(2, "H01", 1440 + 62, 1440 + 68, unit_id="A"),
    )
    assert statuses(logs, visit) == {"l0": "other_unit", "l1": "no_presence", "l2": "not_observed"}


def test_units_that_hardly_agree_are_not_compared() -> None:
    visit = stays(stay("H01", at(0), at(12), device="7"))
    logs = book(
        log(0, "H01", 2, 10, unit_id="7"),
        log(1, "H01", 2, 10, unit_id="U1"),
        log(2, "H01", 2, 10, unit_id="U2"),
    )
    found = held_logs(
        logs,
        visit,
        tolerance_s=60.0,
        observed_days=pl.Series([DAY]),
        reported=None,
        unit_of_device=None,
    )
    assert set(found["compared_by"]) == {"place_time"}
    carried = pl.DataFrame({"device_id": ["7"], "unit_id": ["U1"]})
    assert statuses(logs.filter(pl.col("log_id") != "l2"), visit, unit_of_device=carried) == {
        "l0": "matched",
        "l1": "matched",
    }


def test_a_place_where_no_device_goes_was_observed_while_any_reported() -> None:
    visit = stays(stay("H01", at(0), at(12), device="A"))
    logs = book(log(0, "H09", 5, 9), log(1, "H09", 400, 410))
    found = statuses(logs, visit, reported=reports(("A", 0, 60)))
    assert found == {"l0": "no_presence", "l1": "not_observed"}


def test_what_devices_reported_is_kept_in_slots() -> None:
    found = reporting(
        pings(("a", 1, 0, 0), ("a", 4, 0, 0), ("a", 31, 0, 0), ("b", 2, 0, 0)), slot_s=900
    )
    assert found.rows() == [
        ("a", at(0), at(15)),
        ("a", at(30), at(45)),
        ("b", at(0), at(15)),
    ]


def test_shuffled_and_renamed_units_change_no_status() -> None:
    visit = stays(stay("H01", at(0), at(12), device="A"), stay("H01", at(60), at(70), device="B"))
    logs = book(log(0, "H01", 2, 10, unit_id="A"), log(1, "H01", 62, 68, unit_id="A"))
    said = reports(("A", 0, 90), ("B", 0, 90))
    swapped = {"A": "B", "B": "A"}
    one = statuses(logs, visit, reported=said)
    two = statuses(
        logs.with_columns(pl.col("unit_id").replace(swapped)).reverse(),
        visit.with_columns(pl.col("device_id").replace(swapped)).reverse(),
        reported=said.with_columns(pl.col("device_id").replace(swapped)).reverse(),
    )
    assert one == two == {"l0": "matched", "l1": "elsewhere"}


def test_visits_that_nobody_logged() -> None:
    visit = stays(
        stay("H01", at(0), at(12), device="A"),
        stay("H01", at(5), at(15), device="B"),
        stay("H01", at(60), at(80), device="A"),
        stay("H01", at(100), at(101), device="A"),
        stay("H02", at(60), at(70), device="C"),
        stay("H01", at(3 * 1440), at(3 * 1440 + 10), device="A"),
    )
    found = unlogged(visit, book(log(0, "H01", 10, 18)), tolerance_s=60.0, shortest_s=300.0)
    assert found.select("place_id", "starts_at", "logged").rows() == [
        ("H01", at(0), True),
        ("H01", at(60), False),
        ("H01", at(3 * 1440), None),
        ("H02", at(60), False),
    ]
    rows = estimate.rows(plain(unlogged_rows(found, shortest_s=300.0, source="ping")))
    assert whole(rows, "visit_unlogged")["estimate"] == pytest.approx(2 / 3)


def plain(rows: list[dict]) -> list[dict]:
    from placeproof.patrols.rows import finished

    return finished(rows)


def whole(rows: pl.DataFrame, outcome: str, **where: str) -> dict[str, object]:
    chosen = {"subgroup": "all", "horizon": "all", "hours": "all", "outcome": outcome} | where
    found = rows.filter(*(pl.col(name) == value for name, value in chosen.items()))
    assert found.height == 1, found
    return found.row(0, named=True)


def test_shares_of_logs_add_up() -> None:
    visit = stays(stay("H01", at(0), at(12), device="A"))
    logs = book(
        log(0, "H01", 2, 10),
        log(1, "H01", 60, 70),
        log(2, "H01", 61, 70),
        log(3, "H01", 5 * 1440, 5 * 1440 + 9),
    )
    held = held_logs(
        logs,
        visit,
        tolerance_s=60.0,
        observed_days=pl.Series([DAY]),
        reported=None,
        unit_of_device=None,
    )
    rows = estimate.rows(plain(held_log_rows(held, night=NIGHT, tolerance_s=60.0, source="ping")))
    assert whole(rows, "log_not_observed")["estimate"] == pytest.approx(1 / 4)
    assert whole(rows, "log_matched")["estimate"] == pytest.approx(1 / 3)
    assert whole(rows, "log_phantom")["estimate"] == pytest.approx(2 / 3)
    assert whole(rows, "log_phantom", hours="nte:nte-core")["n"] == 3
    parts = [whole(rows, name)["estimate"] for name in ("log_matched", "log_other_unit")]
    assert sum(parts) + whole(rows, "log_phantom")["estimate"] == pytest.approx(1)
    nothing = held_log_rows(held.clear(), night=NIGHT, tolerance_s=60.0, source="ping")
    assert estimate.rows(plain(nothing)).filter(status="estimated").is_empty()


# Activities -----------------------------------------------------------------------------------

SAID = {
    "Foot patrol": "visible_foot",
    "  FOOT   PATROL ": "visible_foot",
    "High-visibility foot patrol": "visible_foot",
    "Foot patrol and visit": "visible_foot",
    "Walkabout with PCSO": "visible_foot",
    "Vehicle patrol": "vehicle",
    "Mobile patrol": "vehicle",
    "Plain clothes foot patrol": "plain_clothes",
    "Unmarked car patrol": "plain_clothes",
    "Wardens on foot": "partner_patrol",
    "Joint patrol with council": "partner_patrol",
    "Problem-solving plan": "problem_solving",
    "POP": "problem_solving",
    "Enforcement operation": "enforcement",
    "Warrant": "enforcement",
    "Knife arch at station": "enforcement",
    # Two classes, or none: a person decides.
    "Foot and vehicle patrol": None,
    "Covert warrant": None,
    "Football duty": None,
    "Tea": None,
}


@pytest.mark.parametrize("activity", SAID)
def test_an_activity_has_one_class_or_none(activity: str) -> None:
    assert taxonomy(own={}).class_of(activity) == SAID[activity]


def test_six_classes_each_with_an_example_and_one_of_them_visible() -> None:
    classes = taxonomy(own={})
    assert [each.id for each in classes.classes] == [
        "visible_foot",
        "vehicle",
        "plain_clothes",
        "partner_patrol",
        "problem_solving",
        "enforcement",
    ]
    assert {SAID[a] for a in SAID} - {None} == {each.id for each in classes.classes}
    assert classes.visible == {"visible_foot"}


def test_lines_of_the_user_go_first_and_change_the_hash() -> None:
    own = {"Tea": "vehicle", "foot  PATROL": "enforcement"}
    mine = taxonomy(own=own)
    assert mine.class_of("tea") == "vehicle"
    assert mine.class_of("Foot patrol") == "enforcement"
    assert mine.edition_tag != taxonomy(own={}).edition_tag
    assert mine.edition_tag == taxonomy(own=dict(reversed(own.items()))).edition_tag
    with pytest.raises(SettingsError, match="does not exist"):
        taxonomy(own={"Tea": "tea"})
    with pytest.raises(SettingsError, match="two classes"):
        taxonomy(own={"Tea": "vehicle", "TEA ": "enforcement"})


def test_a_taxonomy_that_contradicts_itself_is_refused() -> None:
    text = 'id = "x"\nedition = "1"\n' + "".join(
        f'[[class]]\nid = "{name}"\nlabel = "{name}"\nvisible = false\nnames = ["Walk"]\n'
        for name in ("a", "b")
    )
    with pytest.raises(SettingsError, match="stands in two classes"):
        read_taxonomy(text, own={})
    with pytest.raises(SettingsError, match="cannot be read"):
        read_taxonomy("id = 1", own={})


def test_every_row_is_in_one_class_unmapped_or_blank() -> None:
    spoken = [*SAID, "Tea", None]
    logs = book(*(log(n, "H01", n, n + 1, activity=a) for n, a in enumerate(spoken)))
    classes = taxonomy(own={})
    classed = with_classes(logs, classes)
    lost = unmapped(classed)
    assert lost.row(0) == ("Tea", 2)
    rows = estimate.rows(plain(activity_rows(classed, classes, feed="patrol_log")))
    shares = rows.filter(outcome="activity")
    assert shares["estimate"].sum() == pytest.approx(1)
    assert set(shares["definition_edition"]) == {classes.edition_tag}
    unknown = whole(rows, "activity", subgroup="activity=unmapped")
    assert json.loads(unknown["diagnostics"])["rows"] == lost["rows"].sum() == 5
    assert whole(rows, "activity_not_supplied")["estimate"] == pytest.approx(1 / len(spoken))
    assert "Tea" not in rows.write_json()
    blank = with_classes(book(log(0, "H01", 0, 1)), classes)
    assert blank["visible"].to_list() == [None]
    nothing = estimate.rows(plain(activity_rows(blank, classes, feed="patrol_log")))
    assert set(nothing["status"]) == {"estimated", "not_supplied"}


# Interactions ---------------------------------------------------------------------------------


def test_rates_per_hour_by_hand() -> None:
    logs = book(
        log(0, "H01", 0, 30, arrests=2, engagements=3),
        log(1, "H01", 60, 90, arrests=0, engagements=None),
        log(2, "H01", 120, None, arrests=5),
        log(3, "H02", 3 * 1440 + 180, 3 * 1440 + 240, arrests=1),
        log(4, "H02", 3 * 1440 + 300, 3 * 1440 + 300, arrests=9),
    )
    rows = estimate.rows(plain(interaction_rows(ledger(logs), night=NIGHT, borne_out=None)))
    arrests = whole(rows, "arrests_per_hour")
    # 3 arrests in 2 hours: logs without a length are in neither number.
    assert arrests["estimate"] == pytest.approx(3 / 2)
    assert (arrests["n"], arrests["n_events"], arrests["unit"]) == (3, 3.0, "per hour")
    assert json.loads(arrests["diagnostics"])["logs_without_length"] == 2
    assert whole(rows, "arrests_per_hour", hours="nte:nte-core")["estimate"] == pytest.approx(2)
    assert whole(rows, "arrests_per_hour", hours="other:nte-core")["estimate"] == pytest.approx(1)
    assert whole(rows, "arrests_per_hour", subgroup="hotspot=H02")["n_events"] == 1
    # A blank is not zero: 3 in half an hour, not in one.
    talks = whole(rows, "engagements_per_hour")
    assert talks["estimate"] == pytest.approx(6)
    assert json.loads(talks["diagnostics"])["logs_blank"] == 4
    assert whole(rows, "referrals_per_hour")["status"] == "not_supplied"
    assert set(rows["outcome"]) == {f"{kind}_per_hour" for kind in COUNTS}


def test_rates_of_logs_that_a_visit_bears_out() -> None:
    logs = book(log(0, "H01", 0, 60, stops=2), log(1, "H01", 200, 260, stops=8))
    held = held_logs(
        logs,
        stays(stay("H01", at(10), at(20))),
        tolerance_s=0.0,
        observed_days=pl.Series([DAY]),
        reported=None,
        unit_of_device=None,
    )
    rows = estimate.rows(plain(interaction_rows(ledger(logs), night=None, borne_out=held)))
    assert whole(rows, "stops_per_hour", method="logged_hours")["estimate"] == pytest.approx(5)
    sure = whole(rows, "stops_per_hour", method="logged_hours_borne_out")
    assert sure["estimate"] == pytest.approx(2)


def search(minute: float | None, east: float, north: float, quality: str = "exact") -> dict:
    return {
        "at": None if minute is None else at(minute),
        "month": date(2024, 5, 1),
        "easting_m": EAST + east,
        "northing_m": NORTH + north,
        "location_quality": quality,
    }


def test_logged_and_recorded_searches_of_the_same_place_and_day() -> None:
    places = hotspots(
        hotspot("H01", 0, 0, valid_to=DAY),
        hotspot("H02", 900, 0),
        hotspot("H03", 1800, 0, valid_from=DAY + timedelta(days=30)),
    )
    day = 1440.0
    register = filled(
        StopSearch,
        [
            search(0, 100, 100),
            search(30, 100, 100),
            search(30, 950, 100),
            search(30, 1850, 100),  # its outline holds later
            search(day, 100, 100),  # its outline held until the day before
            search(2 * day, 5000, 5000),
            search(None, 100, 100),
            search(0, 100, 100, "snapped"),
        ],
    )
    logs = book(
        log(0, "H01", 0, 30, searches=1, stops=4),
        log(1, "H01", 60, 90, searches=1),
        log(2, "H02", 60, 90, searches=3),
        log(3, "H02", day, day + 30, searches=None),
        log(4, "H01", day, day + 30, searches=0),
        log(5, "H01", 90 * day, 90 * day + 30, searches=7),  # the register does not reach so far
    )
    found = searches_by_day(logs, register, places)
    assert found.rows() == [
        ("H01", DAY, 4, 2, 2),
        ("H01", DAY + timedelta(days=1), None, 0, 0),
        ("H02", DAY, None, 3, 1),
        ("H02", DAY + timedelta(days=1), None, None, 0),
    ]
    assert unplaced_searches(register) == 2
    rows = estimate.rows(plain(search_rows(found, unplaced=2)))
    assert whole(rows, "search_agreement")["estimate"] == pytest.approx(2 / 3)
    assert whole(rows, "searches_logged_over_recorded")["estimate"] == pytest.approx(5 / 3)
    assert whole(rows, "stops_logged_over_recorded")["estimate"] == pytest.approx(2)
    nothing = searches_by_day(logs.clear(), register, places)
    assert set(estimate.rows(plain(search_rows(nothing, unplaced=0)))["status"]) == {
        "not_identified"
    }


def test_text_is_handed_on_as_turns_and_never_shown(capsys: pytest.CaptureFixture[str]) -> None:
    logs = book(
        log(1, "H02", 5, 9, observations="Spoke with Mr Invented of 4 High Street."),
        log(0, "H01", 0, 4, observations="  "),
        log(2, "H01", 0, 4),
        log(3, "H01", 1, 4, observations="Quiet."),
    )
    found = observations(logs)
    assert found.select("session_id", "hotspot_id", "operating_day").rows() == [
        ("l3", "H01", DAY),
        ("l1", "H02", DAY),
    ]
    Turn.validate(found.select(Turn.column_names()))
    assert capsys.readouterr() == ("", "")
