"""Names in the plan that nothing in the data bears are told, in the check and in the run."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from placeproof.files import packing
from placeproof.files.feed import FeedSpec, combined
from placeproof.study.check import check
from placeproof.study.exports import ANY_TIME
from placeproof.study.patrol_names import unknown_names
from placeproof.study.plan import read_plan
from placeproof.study.reading import Inputs
from placeproof.study.run import run
from placeproof.study.settings import read_study

from .conftest import make_study, quiet


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A small study that names vehicles and deliverers, and has no position and no statement."""
    folder = make_study(
        tmp_path / "study", vehicle_devices='["CAR1", "CRA2"]', without_gps='["wardens"]'
    )
    return folder


def said(folder: Path, **tables: pl.DataFrame) -> list[str]:
    found = read_study(folder)
    paths = (folder / "packed",)
    if paths[0].exists():
        found = replace(found, feeds=(FeedSpec("radios", "ping", "packed", paths),))
    inputs = Inputs(tables, combined([]), None)
    return [str(one["message"]) for one in unknown_names(found, read_plan(folder).patrols, inputs)]


def test_what_nobody_has_is_told_and_no_device_is_named(study: Path) -> None:
    pings = pl.DataFrame({"device_id": ["CAR1", "R7"]})
    delivered = pl.DataFrame({"delivered_by": ["force", "warden"]})
    vehicles, deliverers = said(study, ping=pings, delivered=delivered)
    assert "1 of the 2 vehicle_devices (number 2 in the list)" in vehicles
    assert "CRA2" not in vehicles
    assert "without_gps names 'wardens', who delivered nothing" in deliverers
    assert deliverers.endswith("delivered_by holds 'force', 'warden'.")
    everyone = pl.DataFrame({"device_id": ["CAR1", "CRA2"]})
    wardens = pl.DataFrame({"delivered_by": ["wardens"]})
    assert said(study, ping=everyone, delivered=wardens) == []


def test_devices_of_packed_positions_are_known(study: Path) -> None:
    names = {"device_id": "who", "at": "when", "longitude_deg": "x", "latitude_deg": "y"}
    when = pl.datetime(2021, 7, 1, 12, time_zone="UTC")
    rows = pl.DataFrame({"who": ["CRA2", "R7"], "x": [-1.13] * 2, "y": [52.63] * 2})
    rows.select(pl.all(), when=when).write_parquet(study / "pings.parquet")
    spec = FeedSpec("radios", "ping", "auto", (study / "pings.parquet",), columns=names)
    packing.pack(spec, study / "packed", surroundings=ANY_TIME, progress=quiet)
    assert "(number 1 in the list)" in said(study)[0]


def test_check_and_run_tell_it(study: Path) -> None:
    problems = {one.code: one for one in check(study, quiet)}
    for code in ("unknown_vehicle_device", "unknown_deliverer"):
        assert problems[code].severity == "warning"
        assert problems[code].where == "plan.toml"
        assert "list" in problems[code].mend
    made = run(study, until="patrols", progress=quiet)
    notices = pl.read_parquet(made.folder / "tables" / "notices.parquet")
    assert {"unknown_vehicle_device", "unknown_deliverer"} <= set(notices["code"])
