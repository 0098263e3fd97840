"""Planted patrols, logs and activities of a rehearsal, found again from its raw exports."""

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from placeproof import files
from placeproof.files import geo
from placeproof.patrols.activities import taxonomy, with_classes
from placeproof.patrols.beside import control_days
from placeproof.patrols.compliance import attendance
from placeproof.patrols.logs import NOT_OBSERVED, PHANTOM, held_logs
from placeproof.patrols.minutes import observed_days
from placeproof.patrols.reported import reporting
from placeproof.patrols.visits import visits
from placeproof.study.settings import read_study


@pytest.fixture(scope="module")
def truth(northmere: Path) -> dict[str, dict]:
    return json.loads((northmere / "truth.json").read_text(encoding="utf-8"))["feeds"]


@pytest.fixture(scope="module")
def tables(northmere: Path) -> dict[str, pl.DataFrame]:
    """Tables of patrols as the exports give them."""
    study = read_study(northmere)
    area = geo.outline(study.area, crs=study.area_crs)
    around = files.Surroundings(area, study.start, study.cut_off)
    found: dict[str, list[pl.DataFrame]] = {}
    for spec in study.feeds:
        if spec.contract in ("hotspot", "tasking", "ping", "patrol_log"):
            for name, table in files.read(spec, around).tables.items():
                found.setdefault(name, []).append(table)
    return {name: pl.concat(parts) for name, parts in found.items()}


@pytest.fixture(scope="module")
def seen(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    return visits(tables["ping"], tables["hotspot"], longest_gap_s=90, shortest_dwell_s=0)


def tracked(truth: dict[str, dict]) -> pl.Expr:
    return pl.col("operating_day") >= date.fromisoformat(truth["pings"]["tracked_from"])


def test_planted_phantom_logs_are_found(
    truth: dict[str, dict], tables: dict[str, pl.DataFrame], seen: pl.DataFrame
) -> None:
    held = held_logs(
        tables["patrol_log"],
        seen,
        tolerance_s=900,
        observed_days=observed_days(tables["ping"]),
        reported=reporting(tables["ping"], slot_s=900),
        unit_of_device=None,
    ).filter(tracked(truth))
    planted = set(truth["logs"]["phantom"]) & set(held["log_id"])
    named = set(held.filter(pl.col("status").is_in(PHANTOM))["log_id"])
    assert len(planted) > 100
    assert truth["logs"]["phantom_share"] == pytest.approx(0.12, abs=0.005)
    hits = len(named & planted)
    assert hits / len(named) >= 0.9
    assert hits / len(planted) >= 0.9
    # Logs of patrols whose radio was off are not called phantoms.
    unknown = held.filter(pl.col("status") == NOT_OBSERVED)
    assert 0 < unknown.height < 0.05 * held.height


def test_every_log_before_the_positions_begin_is_unobserved(
    truth: dict[str, dict], tables: dict[str, pl.DataFrame], seen: pl.DataFrame
) -> None:
    held = held_logs(
        tables["patrol_log"],
        seen,
        tolerance_s=900,
        observed_days=observed_days(tables["ping"]),
        reported=None,
        unit_of_device=None,
    )
    before = held.filter(~tracked(truth))
    assert before.height > 5_000
    assert set(before["status"]) == {NOT_OBSERVED}


def test_logged_activities_are_what_was_meant(
    truth: dict[str, dict], tables: dict[str, pl.DataFrame]
) -> None:
    classed = with_classes(tables["patrol_log"], taxonomy(own={}))
    named = pl.col("activity_class").fill_null(
        pl.when(pl.col("activity").is_null())
        .then(pl.lit("not supplied"))
        .otherwise(pl.lit("unmapped"))
    )
    counts = dict(classed.group_by(named).len().rows())
    assert counts == truth["logs"]["activities"]


def test_windows_and_control_days_are_those_that_were_planted(
    truth: dict[str, dict], tables: dict[str, pl.DataFrame], seen: pl.DataFrame
) -> None:
    found = attendance(
        tables["tasking"],
        seen,
        observed_days=observed_days(tables["ping"]),
        add_interval=True,
        target_minutes=None,
        visible_share=0.5,
        log_tolerance_s=900,
        logs=with_classes(tables["patrol_log"], taxonomy(own={})),
        stated=None,
    )
    assert found.height == truth["tasking"]["tasks"]
    assert found["cancelled"].sum() == truth["tasking"]["cancelled"]
    assert found["randomised"].sum() == truth["tasking"]["randomised"]
    given = found.filter(~pl.col("cancelled"))["reason"].drop_nulls()
    assert len(given) == truth["tasking"]["missed_with_reason"]
    known = found.filter("observed")
    assert known.height == truth["pings"]["tasks"]
    planted = truth["pings"]["visits"], truth["pings"]["visits_15_minutes"]
    # Background patrols fall into windows, too, and edges are seen with an error.
    assert planted[0] <= known["level_1"].sum() <= planted[0] * 1.08
    assert known["level_3"].sum() == pytest.approx(planted[1], rel=0.06)
    dose = (
        found.filter("observed")
        .select("hotspot_id", "operating_day")
        .unique()
        .with_columns(hours=pl.lit("all"), source=pl.lit("pings"), patrol_minutes=pl.lit(0.0))
    )
    every = pl.concat(
        dose.with_columns(operating_day=pl.lit(day)) for day in observed_days(tables["ping"])
    ).unique()
    control = control_days(tables["tasking"], every, source="pings").filter(~pl.col("tasked"))
    # Days after the last task of a place could be its end as well as chance: they are left out.
    last_day = date.fromisoformat("2023-06-29")
    ends = (
        found.filter("randomised")
        .group_by("hotspot_id")
        .agg(pl.col("operating_day").max())
        .select((pl.lit(last_day) - pl.col("operating_day")).dt.total_days())
    )
    after = int(ends.to_series().sum())
    assert truth["pings"]["control_days"] - control.height == after
