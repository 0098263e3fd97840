"""The funder's return of a study: three files from one run, and what a user can mend."""

import csv
import json
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from placeproof.errors import InputError, SettingsError
from placeproof.study.returning import funder_return
from tests.study.conftest import AREA, plan
from tests.study.invented_patrols import FIRST, MANIFEST, run_tables

QUIET = {"progress": lambda _doing, _done, _of: None}
STUDY = """
schema = 1
[study]
name = "A small invented study"
force = "Inventshire Police"
sponsor = "the Home Office"
start = 2021-07-01
cut_off = 2021-12-31
area = "area.geojson"

[data.logs]
contract = "patrol_log"
files = ["logs.csv"]
time_zone = "Europe/London"
time_format = "%Y-%m-%d %H:%M"
[data.logs.columns]
log_id = "Log"
hotspot_id = "Place"
started_at = "Start"
stops = "Stops"
"""


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    return run_tables(places=2, weeks=22)


@pytest.fixture
def study(tmp_path: Path, tables: dict[str, pl.DataFrame]) -> Path:
    """A study with logs, and one whole run that holds the tables of its patrols."""
    folder = tmp_path / "study"
    run = folder / "runs" / "abc123"
    (run / "tables").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "results").mkdir()
    for name, table in tables.items():
        table.write_parquet(run / "tables" / f"{name}.parquet")
    (run / "manifest.json").write_text(json.dumps(MANIFEST))
    (folder / "results" / "current.json").write_text('{"run": "abc123"}')
    (folder / "study.toml").write_text(STUDY)
    (folder / "plan.toml").write_text(plan())
    (folder / "data" / "area.geojson").write_text(json.dumps(AREA))
    logs = ["Log,Place,Start,Stops"]
    for n in range(60):
        logs.append(f"L{n},H01,{FIRST + timedelta(days=2 * n)} 21:00,{n % 5}")
    (folder / "data" / "logs.csv").write_text("\n".join(logs) + "\n")
    return folder


def rows_of(made: Path) -> list[dict[str, str]]:
    with (made.parent / "return.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_files_agree_with_the_run_to_the_minute(
    study: Path, tables: dict[str, pl.DataFrame]
) -> None:
    made = funder_return(study, quarter=None, **QUIET)
    assert made == study / "runs" / "abc123" / "return" / "index.html"
    rows = rows_of(made)
    months = [r for r in rows if r["measure"] == "patrol_minutes" and r["kind"] == "month"]
    dose = tables["dose"].filter(
        pl.col("hours") == "all", pl.col("operating_day") <= date(2021, 12, 31)
    )
    assert sum(float(r["value"]) for r in months) == round(dose["patrol_minutes"].sum())
    visits = [r for r in rows if r["measure"] == "visits" and r["kind"] == "quarter"]
    seen = tables["visit"].filter(pl.col("arrived_at").dt.date() <= date(2021, 12, 31))
    assert sum(float(r["value"]) for r in visits) == seen.height
    import fastexcel

    book = fastexcel.read_excel(made.parent / "return.xlsx")
    assert book.sheet_names == ["Quarters", "Months", "Notes"]
    sheet = book.load_sheet("Months", header_row=0).to_polars()
    line = sheet.filter(pl.col("Measure").str.starts_with("Time with somebody there")).row(0)
    assert [float(value) for value in line[3:]] == [float(r["value"]) for r in months]


def test_what_is_missing_is_missing_in_every_file(study: Path) -> None:
    made = funder_return(study, quarter=None, **QUIET)
    missing = [r for r in rows_of(made) if r["status"] == "not_supplied"]
    assert {r["measure"] for r in missing} >= {"amount_gbp", "plans_running", "arrests"}
    assert {r["value"] for r in missing} == {""}
    page = made.read_text(encoding="utf-8")
    assert page.count("not supplied") >= len([r for r in missing if r["kind"] == "quarter"])


def test_counts_of_people_leave_rounded(study: Path) -> None:
    stops = [r for r in rows_of(funder_return(study, quarter=None, **QUIET))
             if r["measure"] == "stops" and r["value"]]  # fmt: skip
    assert stops
    assert all(float(r["value"]) % 5 == 0 and float(r["value"]) >= 5 for r in stops)


def test_one_quarter_has_the_same_figures_as_the_whole(study: Path) -> None:
    whole = {(r["measure"], r["part"], r["period"]): r["value"]
             for r in rows_of(funder_return(study, quarter=None, **QUIET))}  # fmt: skip
    one = rows_of(funder_return(study, quarter="2021-q4", **QUIET))
    assert {r["period"] for r in one} == {"2021Q4", "2021-10", "2021-11", "2021-12"}
    assert all(whole[r["measure"], r["part"], r["period"]] == r["value"] for r in one)


def test_writing_again_gives_the_same_bytes(study: Path) -> None:
    made = funder_return(study, quarter=None, **QUIET).parent
    first = {path.name: path.read_bytes() for path in made.iterdir()}
    funder_return(study, quarter=None, **QUIET)
    assert {path.name: path.read_bytes() for path in made.iterdir()} == first


def test_what_a_user_can_mend_is_said(study: Path) -> None:
    with pytest.raises(SettingsError, match="no quarter"):
        funder_return(study, quarter="summer", **QUIET)
    with pytest.raises(SettingsError, match="no data in 2030Q1"):
        funder_return(study, quarter="2030Q1", **QUIET)
    (study / "results" / "current.json").unlink()
    with pytest.raises(InputError, match="no whole run"):
        funder_return(study, quarter=None, **QUIET)
