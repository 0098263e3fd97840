"""Hospital data: gaps are gaps, missing places are shown, nothing is claimed."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from placeproof.answers.findings import DESCRIPTIVE_KEYS
from placeproof.calendar import NTE_PRESETS, nte_intervals
from placeproof.effects import health
from placeproof.errors import InputError
from placeproof.tables import Admission, EdAssault, Estimate
from placeproof.tables.contract import Table

LINEAGE = {"source_sha256": "0" * 64, "source_row": 2}
NTE = nte_intervals(
    NTE_PRESETS["nte-core"], first=date(2024, 1, 1), last=date(2024, 12, 31), events=None
)


def filled(table: type[Table], rows: list[dict[str, object]]) -> pl.DataFrame:
    schema = {name: column.dtype for name, column in table.columns().items()}
    full = [{name: (LINEAGE | row).get(name) for name in schema} for row in rows]
    return table.validate(pl.DataFrame(full, schema=schema), cast=True)


def attendance(month: int, **further: object) -> dict[str, object]:
    return {"month": date(2024, month, 1), "site": "Infirmary", **further}


def attendances(*rows: dict[str, object]) -> pl.DataFrame:
    return filled(EdAssault, list(rows))


def admission(month: int, count: int | None, **further: object) -> dict[str, object]:
    return {
        "month": date(2024, month, 1),
        "area_code": "E07",
        "area_kind": "residence",
        "cause": "X85-Y09",
        "admissions": count,
        "suppressed": count is None,
        **further,
    }


def run(ed: pl.DataFrame | None, admitted: pl.DataFrame | None, nte: pl.DataFrame | None = NTE):
    return health.estimates(ed, admitted, nte=nte, nte_id="nte-core")


def only(frame: pl.DataFrame, **where: str) -> dict[str, object]:
    found = frame.filter(*(pl.col(name) == value for name, value in where.items()))
    assert found.height == 1, found
    return found.row(0, named=True)


def test_a_month_without_rows_is_a_gap_not_zero() -> None:
    found = run(attendances(attendance(1), attendance(1), attendance(3)), None)
    gap = only(found, outcome="ed_assaults", horizon="2024-02")
    assert (gap["status"], gap["estimate"]) == ("not_supplied", None)
    assert only(found, outcome="ed_assaults", horizon="2024-01")["estimate"] == 2
    total = only(found, outcome="ed_assaults", subgroup="all", horizon="all")
    assert total["estimate"] == 3
    assert "1 of 3 site-months" in total["reason"]


def test_a_site_that_stops_leaves_gaps_of_its_own() -> None:
    found = run(attendances(attendance(1), attendance(2), attendance(1, site="Royal")), None)
    gaps = found.filter(pl.col("status") == "not_supplied", pl.col("outcome") == "ed_assaults")
    assert gaps.select("subgroup", "horizon").rows() == [("site=Royal", "2024-02")]


def test_share_without_a_location_by_month() -> None:
    found = run(
        attendances(
            attendance(1, location_text="High Street"),
            attendance(1, location_text="  "),
            attendance(2, location_type="street"),
            attendance(2),
            attendance(2),
        ),
        None,
    )
    missing = found.filter(pl.col("outcome") == "ed_assault_location_missing")
    assert dict(missing.select("horizon", "estimate").rows()) == {
        "2024-01": 0.5,
        "2024-02": pytest.approx(2 / 3),
        "all": 0.6,
    }


def test_share_assaulted_at_night_uses_the_assault_not_the_arrival() -> None:
    friday = datetime(2024, 5, 3, 22, tzinfo=UTC)
    found = run(
        attendances(
            attendance(5, assaulted_at=friday, arrived_at=friday.replace(day=4, hour=10)),
            attendance(5, assaulted_at=friday.replace(day=7)),
            attendance(5, assaulted_at=friday.replace(day=8, hour=1)),
            # 02:30 on Sunday belongs to Saturday.
            attendance(5, assaulted_at=friday.replace(day=5, hour=1, minute=30)),
            attendance(5, arrived_at=friday),
        ),
        None,
    )
    night = only(found, outcome="ed_assault_at_night")
    assert (night["estimate"], night["n"], night["hours"]) == (0.5, 4, "nte:nte-core")
    assert only(found, outcome="ed_assault_time_missing")["estimate"] == 0.2


def test_suppressed_admissions_stay_suppressed() -> None:
    found = run(None, filled(Admission, [admission(1, None), admission(2, 20)]))
    hidden = only(found, outcome="admissions_X85-Y09", horizon="2024-01")
    assert (hidden["status"], hidden["estimate"]) == ("suppressed", None)
    shown = only(found, outcome="admissions_X85-Y09", horizon="2024-02")
    assert shown["estimate"] == 20
    assert "residence" in shown["population"]


def test_the_same_count_twice_stands_once_and_a_contradiction_has_no_number() -> None:
    twice = run(None, filled(Admission, [admission(1, 20), admission(1, 20, source_row=3)]))
    assert only(twice, outcome="admissions_X85-Y09")["estimate"] == 20
    against = run(None, filled(Admission, [admission(1, 20), admission(1, 25, source_row=3)]))
    assert only(against, outcome="admissions_X85-Y09")["status"] == "not_identified"


def test_us_codes_are_refused_with_an_explanation() -> None:
    other = filled(Admission, [admission(1, 20)]).with_columns(cause=pl.lit("X93.XXXA"))
    with pytest.raises(InputError, match=r"row 2, column \"cause\"") as caught:
        run(None, other)
    assert "ICD-10-CM" in str(caught.value)


def test_no_impact_is_claimed() -> None:
    found = run(attendances(attendance(1)), filled(Admission, [admission(1, 20)]))
    headline = only(found, role="headline")
    assert headline["status"] == "not_identified"
    assert "No impact" in headline["reason"]
    assert set(found.filter(pl.col("status") == "estimated")["role"]) == {"description"}
    assert set(found["question"]) == {"RQ10"}


@pytest.mark.parametrize(
    ("ed", "admitted", "nte"),
    [
        (None, None, NTE),
        (EdAssault.create_empty(), Admission.create_empty(), None),
        (attendances(attendance(1)), None, None),
        (attendances(attendance(1)), None, NTE.clear()),
    ],
)
def test_bad_input_gives_reasons(ed, admitted, nte) -> None:
    found = run(ed, admitted, nte)
    Estimate.validate(found)
    blank = found.filter(pl.col("estimate").is_null())
    assert set(blank["status"]) <= {"not_supplied", "not_identified"}
    assert blank["reason"].null_count() == 0


def test_shuffled_rows_give_the_same_bytes() -> None:
    ed = attendances(*(attendance(1 + n % 5, site=f"s{n % 3}") for n in range(60)))
    mixed = ed.sample(fraction=1, shuffle=True, seed=2)
    assert run(ed, None).write_json() == run(mixed, None).write_json()


def test_no_two_rows_have_the_same_descriptive_keys() -> None:
    found = run(attendances(attendance(1), attendance(3)), filled(Admission, [admission(1, 20)]))
    assert found.select(DESCRIPTIVE_KEYS).is_unique().all()
