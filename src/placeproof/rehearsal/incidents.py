"""The force's export of anti-social behaviour: a file a quarter, with repeats linked by hand."""

from pathlib import Path

import numpy as np
import polars as pl

from placeproof.rehearsal.choices import CUT_OFF
from placeproof.rehearsal.city import TOWNS, City
from placeproof.rehearsal.crimes import moments, on_the_clock
from placeproof.rehearsal.happenings import Events
from placeproof.rehearsal.offences import CLASSES, KINDS_OF_EVENT
from placeproof.rehearsal.sheets import write_csv

INCIDENT_SECTION = """
# Anti-social behaviour: one file a quarter, in cp1252 with semicolons. Repeats that the control
# room linked to an earlier call are closed as "Duplicate".
[data.incidents]
contract = "incident"
files = ["incidents/asb_*.csv"]
time_format = "%d/%m/%Y %H:%M"
time_zone = "Europe/London"
crs = "EPSG:27700"
encoding = "cp1252"
separator = ";"
default_locations = "default_locations.csv"
[data.incidents.columns]
incident_id = "Incident Ref"
reported_at = "Created"
category = "Type"
qualifier = "ASB Qualifier"
easting_m = "Easting"
northing_m = "Northing"
caller_id = "Caller Ref"
duplicate_of = "Linked To"
status = "State"
[data.incidents.values.qualifier]
"ASB - Personal" = "personal"
"ASB - Nuisance" = "nuisance"
"ASB - Environmental" = "environmental"
[data.incidents.values.status]
"Closed" = "recorded"
"Duplicate" = "cancelled"
"""


def write_incidents(
    folder: Path, city: City, events: Events, rng: np.random.Generator
) -> dict[str, int]:
    """
    Write the quarterly extracts of anti-social behaviour into `folder`.

    Parameters
    ----------
    folder : Path
        The study's `data`.
    city : City
        The ground.
    events : Events
        What happened with patrols.
    rng : Generator
        Source of randomness.
    """
    asb = events.where(events.of_class == CLASSES.index("asb"))
    at = moments(asb) + rng.exponential(12, len(asb.mark)).astype(int).astype("timedelta64[m]")
    at = np.minimum(at, np.datetime64(CUT_OFF) + np.timedelta64(359, "m"))
    at = on_the_clock(at)
    order = np.argsort(at, kind="stable")
    asb, at = asb.where(order), at[order]
    n = len(at)
    town = city.point_town[asb.point]
    rows = pl.DataFrame(
        {
            "Created": at.astype("datetime64[us]"),
            "Type": np.full(n, "Anti-social behaviour"),
            "ASB Qualifier": np.array([f"ASB - {k.code}" for k in KINDS_OF_EVENT])[asb.kind],
            "Easting": city.easting_m[asb.point].astype(int),
            "Northing": city.northing_m[asb.point].astype(int),
            "Beat": np.array([*(f"{t[0]} beat" for t in TOWNS), "Old Café and farms"])[town],
            "Caller Ref": rng.integers(10_000, 99_999, n),
            "State": np.full(n, "Closed"),
        }
    ).with_columns(pl.format("NM-{}", pl.int_range(1, n + 1)).alias("Incident Ref"))
    repeat = rng.random(n) < 0.03
    repeats = rows.filter(pl.Series(repeat)).with_columns(
        pl.col("Created") + pl.duration(minutes=9),
        pl.col("Incident Ref").alias("Linked To"),
        pl.format("{}R", "Incident Ref").alias("Incident Ref"),
        pl.lit("Duplicate").alias("State"),
    )
    both = pl.concat(
        [rows.with_columns(pl.lit(None, pl.String).alias("Linked To")), repeats],
        how="diagonal",
    ).sort("Created", "Incident Ref")
    quarter = (
        both["Created"].dt.year().cast(pl.String)
        + "q"
        + both["Created"].dt.quarter().cast(pl.String)
    )
    both = both.with_columns(quarter.alias("_quarter"))
    columns = ["Incident Ref", *[c for c in rows.columns if c != "Incident Ref"], "Linked To"]
    for (name,), part in both.partition_by("_quarter", as_dict=True).items():
        write_csv(
            folder / "incidents" / f"asb_{name}.csv",
            part.select(columns),
            encoding="cp1252",
            separator=";",
        )
    return {"rows": both.height, "recorded": n, "duplicates": int(repeat.sum())}
