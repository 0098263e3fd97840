"""How the report shows rivals, changes and steps of recording, unlocated events, displacement."""

from datetime import date

import polars as pl
import pytest

from placeproof.report import calendar_figure
from placeproof.report.document import Document, Figure, Number, walk
from placeproof.report.material import Material
from tests.report import invented
from tests.report.test_report_otherwise import SERIOUS, document, register, said, table

INSIDE = "treated hot spots"


def robust(ratio: float, **more: object) -> dict:
    return invented.effect("RQ1", *SERIOUS, ratio, role="robustness", **more)


def rivals() -> list[dict]:
    joint, two_way = "poisson_imputation_joint", "poisson_two_way_joint"
    outreach = {"population": "places with Street outreach", "horizon": "term=street-outreach",
                "estimand": "rival_rate_ratio"}  # fmt: skip
    refused = {"estimate": None, "lower": None, "upper": None, "status": "not_identified"}
    return [
        robust(0.9, method=joint, horizon="term=patrols"),
        robust(0.91, method=two_way, horizon="term=patrols"),
        robust(0.7, method=joint, **outreach),
        robust(0.72, method=two_way, **outreach),
        {**robust(1.0, method=joint, population="places with new lamps", horizon="term=new-lamps",
                  estimand="rival_rate_ratio"), **refused,
         "reason": "It began too close to the first patrols."},
        robust(0.93, method=joint, horizon="term=patrols", hours="outside:14:00-20:00"),
        robust(0.92, horizon="without=rivals"),
        robust(1.04, horizon="without=rivals", estimand="change_in_rate_ratio"),
    ]  # fmt: skip


def changes() -> list[dict]:
    return [
        robust(0.85, horizon="until=E0"),
        robust(0.95, horizon="since=E0"),
        robust(1.1, horizon="since=E0", estimand="ratio_of_rate_ratios"),
    ]


def unlocated() -> list[dict]:
    method = "poisson_imputation_unlocated"
    ratios = {"lowest": 0.7, "fewer": 0.85, "proportional": 0.87, "more": 0.9, "highest": 1.1}
    made = [robust(r, method=method, horizon=f"unlocated={n}") for n, r in ratios.items()]
    nothing = {"lower": None, "upper": None, "level": None, "minimum_detectable_effect": None}
    tips = robust(4.2, method=method, estimand="tipping_odds", unit="times")
    return [*made, {**tips, **nothing}]


def steps() -> list[dict]:
    base = {"question": "data", "outcome": "recording:crime-missing", "n": 900, "feeds": "crime",
            "outcome_label": "Crimes without a location", "population": "records",
            "horizon": "2020-06"}  # fmt: skip
    return [
        {**base, "outcome": "recording", "outcome_label": "How crimes are recorded",
         "estimand": "series_scanned", "method": "count", "estimate": 25.0, "unit": "series",
         "population": "series", "horizon": "all"},
        {**base, "estimand": "step_in_recording", "method": "supremum_f_test", "estimate": 0.17,
         "unit": "ratio of odds", "p_value": 0.005},
        {**base, "estimand": "level_before_step", "method": "count", "estimate": 0.042,
         "unit": "share"},
        {**base, "estimand": "level_after_step", "method": "count", "estimate": 0.008,
         "unit": "share"},
        robust(0.86, horizon="without=step-2020-06"),
        robust(1.01, horizon="without=step-2020-06", estimand="change_in_rate_ratio"),
    ]  # fmt: skip


def moved() -> list[dict]:
    rings = "treated hot spots with their rings"
    made = []
    for place, ratio, fewer in ((INSIDE, 0.88, 300.0), ("ring 0-100 m", 1.05, -60.0),
                                (rings, 0.93, 240.0)):  # fmt: skip
        if place != INSIDE:
            made.append(invented.effect("RQ1", *SERIOUS, ratio, population=place))
        events = {"estimate": fewer, "lower": fewer - 90, "upper": fewer + 90, "unit": "events",
                  "estimand": "events_prevented", "population": place}  # fmt: skip
        made.append({**invented.effect("RQ1", *SERIOUS, ratio), **events})
        weighted = {"estimate": -fewer, "lower": -fewer - 80, "upper": 80 - fewer,
                    "unit": "events", "estimand": "weighted_displacement_difference",
                    "method": "weighted_displacement_difference_quasi_poisson",
                    "population": place,
                    "horizon": "all" if place == rings else "part"}  # fmt: skip
        made.append({**robust(ratio), **weighted})
    share = {"estimand": "displaced_share", "unit": "share", "population": rings,
             "estimate": 0.2, "lower": -0.1, "upper": 0.5}  # fmt: skip
    return [*made, {**robust(1.0), **share}]


@pytest.fixture(scope="module")
def whole() -> Document:
    base = [row for row in invented._crime() if not str(row["population"]).startswith("ring")]
    assert base
    more = [*rivals(), *changes(), *unlocated(), *steps(), *moved()]
    known = {(r["outcome"], r["population"], r["estimand"], r["method"], r.get("horizon"))
             for r in invented._crime()}  # fmt: skip
    fresh = [
        row for row in more
        if (row["outcome"], row["population"], row["estimand"], row["method"], row.get("horizon"))
        not in known
    ]  # fmt: skip
    return document(fresh, shocks=register("A new system"), rivals=listed())


def listed() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "name": ["Street outreach", "Street outreach", "problem-solving plans"],
            "place_id": ["hotspot-00", "hotspot-01", "hotspot-02"],
            "starts_on": [date(2022, 11, 7), date(2022, 11, 7), date(2021, 9, 1)],
            "ends_on": [None, None, date(2022, 1, 1)],
        }
    )


def lines(made: Document, identity: str) -> list[list[str]]:
    found = table(made, identity)
    assert found is not None, identity
    return [[said(cell) for cell in row] for row in found.rows]


def test_patrols_and_rivals_stand_apart_with_both_methods_and_reasons(whole: Document) -> None:
    rows = lines(whole, "RQ1-rivals")
    assert [row[0] for row in rows] == [
        "Patrols, headline", "Patrols, the rest held", "New lamps , patrols held",
        "Street outreach , patrols held",
        "Patrols, the rest held , outside 14:00 to 20:00",
        "Patrols, without places and periods that any of it touched",
    ]  # fmt: skip
    assert rows[1][1].startswith("−10")
    assert rows[1][2].startswith("−9")
    assert rows[2][1] == "not identified"
    assert rows[3][1].startswith("−30")
    found = table(whole, "RQ1-rivals")
    assert found is not None
    assert "too close to the first patrols" in said(found.note)
    assert all(
        isinstance(span, Number) or not any(c.isdigit() for c in span.words)
        for row in found.rows for cell in row[1:] for span in cell
    )  # fmt: skip


def test_before_and_since_a_change_and_bounds_of_location(whole: Document) -> None:
    (row,) = lines(whole, "RQ1-changes")
    assert row[0] == "A new system"
    assert row[1].startswith("−15")
    assert row[2].startswith("−5")
    assert row[3].startswith("1.10")
    (row,) = lines(whole, "RQ1-unlocated")
    assert row[1].startswith("−30")
    assert row[5].startswith("+10")
    assert row[6] == "4.20"


def test_steps_in_recording_are_listed_and_their_months_left_out(whole: Document) -> None:
    (row,) = lines(whole, "recording-steps")
    assert row[0] == "Crimes without a location"
    assert (row[1], row[4], row[5]) == ("2020-06-01", "0.17", "0.005")
    events = lines(whole, "RQ1-events")
    assert any(row[0] == "Step found in recording: Crimes without a location" for row in events)


def test_events_by_distance_stand_beside_each_other(whole: Document) -> None:
    rows = lines(whole, "RQ1-0-distance")
    assert [row[0] for row in rows] == [
        "Treated hot spots", "Ring 0-100 m", "Treated hot spots with their rings"
    ]  # fmt: skip
    assert rows[1][2].startswith("−60")
    assert rows[1][3].startswith("60")


def figure_of(made: Document) -> Figure:
    for top in made.sections:
        for section in walk(top):
            for block in section.blocks:
                if isinstance(block, Figure) and block.identity == "calendar":
                    return block
    raise AssertionError("no calendar")


def test_the_calendar_has_a_line_for_everything_that_began(whole: Document) -> None:
    drawn = figure_of(whole)
    assert drawn.data is not None
    rows = [[said(cell) for cell in row] for row in drawn.data.rows]
    assert [row[0] for row in rows] == [
        "Patrols", "Street outreach", "Problem-solving plans", "A new system",
        "Step found in recording: Crimes without a location",
    ]  # fmt: skip
    assert rows[0][4] == "24"
    assert rows[1][3] == "goes on"
    assert rows[2][3] == "2022-01-01"
    values = drawn.spec["data"]["values"]  # type: ignore[index]
    assert sum("label" in point for point in values) == 5
    assert {point.get("sign") for point in values if point.get("kind") == "sign"} == {
        "diamond", "cross"
    }  # fmt: skip


def test_nothing_registered_shows_nothing() -> None:
    made = document([])
    for identity in ("RQ1-rivals", "RQ1-changes", "RQ1-unlocated", "recording-steps"):
        assert table(made, identity) is None
    bare = invented.contents(places=invented.places()[0].clear())
    assert calendar_figure.figure(Material(bare)) == []
