"""The force's crime and disorder exports: monthly, overlapping, amended, in its own words."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from placeproof.rehearsal.choices import CUT_OFF, FIRST_DAY
from placeproof.rehearsal.city import INFIRMARY_M, TOWNS, City
from placeproof.rehearsal.draws import pick
from placeproof.rehearsal.happenings import Events
from placeproof.rehearsal.offences import (
    CLASSES,
    KINDS_OF_EVENT,
    OFFENCES,
    code_table,
    harm_table,
)
from placeproof.rehearsal.rhythm import DAYS
from placeproof.rehearsal.sheets import write_csv

WINDOW_SHARE = {"serious": 0.08, "acquisitive": 0.30, "indoors": 0.15, "burglary": 0.60}
FIRST_CODED = {"N02": "N10", "N10": "N02", "N05": "N20", "N25": "N22", "N03": "N02", "N26": "N11"}
"""Code under which an amended crime was first recorded."""
ETHNIC = ("White", "Asian", "Black", "Mixed", "Other", "Not stated")

HARM_SECTION = """
# An invented harm index in two editions: two results. It has no weight for theft of bicycles.
[harm]
file = "harm_index.csv"
edition = "Northmere harm index 2026 (invented)"
code = "Offence Code"
weight = "Days 2026"
unit = "days"
other_edition = "Northmere harm index 2023 (invented)"
other_weight = "Days 2023"
"""
CRIME_SECTION = r"""
# Crimes: one CSV a month. Extracts overlap by 14 days and bring amended crimes again: the latest
# version of a crime counts. Times are local, without a zone.
[data.crimes]
contract = "crime"
files = ["crimes/crimes_*.csv"]
time_format = "%d/%m/%Y %H:%M"
time_zone = "Europe/London"
crs = "EPSG:27700"
extract_date = 'crimes_(\d{4}-\d{2}-\d{2})'
offences = "offence_codes.csv"
default_locations = "default_locations.csv"
[data.crimes.columns]
crime_id = "Crime Number"
recorded_at = "Recorded"
occurred_from = "Committed From"
occurred_to = "Committed To"
offence_code = "Offence Code"
category = "Offence Group"
easting_m = "Grid E"
northing_m = "Grid N"
lsoa_code = "Area Code"
domestic = "DA Marker"
public_place = "Location Type"
victim_age = "Victim Age"
victim_sex = "Victim Sex"
victim_ethnicity = "Victim Ethnicity"
suspect_age = "Suspect Age"
status = "Crime Status"
last_outcome = "Outcome"
[data.crimes.values.domestic]
"Y" = "true"
"N" = "false"
[data.crimes.values.public_place]
"Street" = "true"
"Park" = "true"
"Bus station" = "true"
"Shop" = "true"
"Car park" = "true"
"Dwelling" = "false"
[data.crimes.values.status]
"Live" = "recorded"
"No Crime" = "cancelled"
"Transferred" = "transferred"
"""


def moments(events: Events) -> np.ndarray:
    """
    Local time of each event, to the minute, as datetime64[m].

    Parameters
    ----------
    events : Events
        With operating day and hour of it.
    """
    start = np.array(DAYS, dtype="datetime64[D]").astype("datetime64[m]")
    at = start[events.day] + (6 + events.hour) * np.timedelta64(60, "m")
    at = at + events.minute.astype("timedelta64[m]")
    return on_the_clock(at)


def on_the_clock(at: np.ndarray) -> np.ndarray:
    """
    Move times that no clock showed, one to two on the last Sunday of March, by an hour.

    Parameters
    ----------
    at : array of datetime64[m]
        Local times.
    """
    lost = [np.datetime64(day) for day in DAYS if day.month == 3 and _last_sunday(day)]
    day = at.astype("datetime64[D]")
    gap = np.isin(day, lost) & ((at - day).astype("timedelta64[m]").astype(int) // 60 == 1)
    return np.where(gap, at + np.timedelta64(60, "m"), at)


def _last_sunday(day: date) -> bool:
    return day.isoweekday() == 7 and (day + timedelta(7)).month != day.month


def write_crimes(
    folder: Path, city: City, events: Events, rng: np.random.Generator
) -> dict[str, int]:
    """
    Write the crime extracts, the code table and the default locations into `folder`.

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

    Returns
    -------
    dict
        How many crimes were recorded, cancelled, transferred, amended, and rows written.
    """
    crimes = _crimes(city, events, rng)
    extracts = _extracts(crimes)
    for (name,), rows in extracts.partition_by("_extract", as_dict=True).items():
        write_csv(folder / "crimes" / f"crimes_{name}.csv", rows.drop("_extract"))
    write_csv(folder / "offence_codes.csv", code_table())
    write_csv(folder / "harm_index.csv", harm_table())
    final = extracts.unique("Crime Number", keep="last", maintain_order=True)
    return {
        "rows": extracts.height,
        "crimes": final.height,
        "recorded": final.filter(pl.col("Crime Status") == "Live").height,
        "cancelled": final.filter(pl.col("Crime Status") == "No Crime").height,
        "transferred": final.filter(pl.col("Crime Status") == "Transferred").height,
        "amended": int(crimes["_amended"].is_not_null().sum()),
        "default_geocode": int(final["Grid E"].is_in(city.stations[:, 0].astype(int)).sum()),
        "missing_location": int(final["Grid E"].null_count()),
    }


def write_default_locations(folder: Path, city: City) -> None:
    """
    Write the table of points that stand for "not known".

    Parameters
    ----------
    folder : Path
        The study's `data`.
    city : City
        With its police stations.
    """
    table = pl.DataFrame(
        {
            "name": [*(f"{town[0]} police station" for town in TOWNS), "Northmere Infirmary"],
            "easting_m": [*city.stations[:, 0].astype(int).tolist(), INFIRMARY_M[0]],
            "northing_m": [*city.stations[:, 1].astype(int).tolist(), INFIRMARY_M[1]],
            "radius_m": [2] * (len(TOWNS) + 1),
        }
    )
    write_csv(folder / "default_locations.csv", table)


def _crimes(city: City, events: Events, rng: np.random.Generator) -> pl.DataFrame:
    crime = events.where(events.of_class != CLASSES.index("asb"))
    mistaken = rng.random(len(crime.mark)) < 0.018
    again = crime.where(mistaken)
    n, extra = len(crime.mark), len(again.mark)
    crime = Events(
        *(
            np.concatenate([getattr(crime, name), getattr(again, name)])
            for name in Events.__dataclass_fields__
        )
    )
    # Crimes recorded by mistake come on top of those that stand, so cancelling them leaves truth.
    status = np.where(pick(rng, [0.83, 0.17], n + extra) == 0, "No Crime", "Transferred")
    status[:n] = "Live"
    amended = (rng.random(n + extra) < 0.02) | (np.arange(n + extra) >= n)
    start, end, recorded = _times(crime, rng)
    change = recorded + (86_400 * rng.uniform(20, 80, n + extra)).astype("timedelta64[s]").astype(
        "timedelta64[m]"
    )
    last = np.datetime64(CUT_OFF) + np.timedelta64(23 * 60, "m")
    never = amended & (change > last)
    kept = ~(never & (status != "Live"))
    table = _described(city, crime, rng).with_columns(
        pl.Series("Recorded", recorded.astype("datetime64[us]")),
        pl.Series("Committed From", start.astype("datetime64[us]")),
        pl.Series("Committed To", end.astype("datetime64[us]")),
        pl.Series("Crime Status", status),
        pl.Series(
            "_amended",
            np.where(amended & ~never, change, np.datetime64("NaT")).astype("datetime64[us]"),
        ),
    )
    table = table.filter(pl.Series(kept)).sort("Recorded", "Committed From", "Grid E", "Grid N")
    number = pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(6)
    return table.with_columns(
        pl.format("NM/{}/{}", number, pl.col("Recorded").dt.strftime("%y")).alias("Crime Number")
    )


def _times(crime: Events, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    at = moments(crime)
    n = len(at)
    name = np.array(CLASSES)[crime.of_class]
    share = np.array([WINDOW_SHARE.get(c, 0.0) for c in CLASSES])[crime.of_class]
    span = np.where(name == "serious", rng.uniform(20, 120, n), rng.uniform(60, 840, n))
    span = np.where(rng.random(n) < share, span, 0)
    before = (span * rng.random(n)).astype(int).astype("timedelta64[m]")
    first = np.datetime64(FIRST_DAY) + np.timedelta64(6 * 60, "m")
    start = np.maximum(at - before, first)
    end = start + span.astype(int).astype("timedelta64[m]")
    last = np.datetime64(CUT_OFF) + np.timedelta64(6 * 60, "m")
    end = np.maximum(np.minimum(end, last), at)
    lag = rng.exponential(np.where(name == "serious", 180, 1_100), n).astype(int)
    recorded = np.minimum(
        end + (lag + 4).astype("timedelta64[m]"),
        np.datetime64(CUT_OFF) + np.timedelta64(22 * 60, "m"),
    )
    start = on_the_clock(start)
    return start, np.maximum(on_the_clock(end), start), on_the_clock(recorded)


def _described(city: City, crime: Events, rng: np.random.Generator) -> pl.DataFrame:
    from placeproof.rehearsal.city import area_codes

    n = len(crime.mark)
    codes = np.array([kind.code for kind in KINDS_OF_EVENT])[crime.kind]
    group = {code: group for code, _, group, _ in OFFENCES}
    early = np.array(DAYS, dtype="datetime64[D]")[crime.day] < np.datetime64("2020-06-01")
    missing = rng.random(n) < np.where(early, 0.045, 0.008)
    default = ~missing & (rng.random(n) < 0.01)
    town = np.maximum(city.point_town[crime.point], 0)
    east = np.where(default, city.stations[town, 0], city.easting_m[crime.point]).astype(int)
    north = np.where(default, city.stations[town, 1], city.northing_m[crime.point]).astype(int)
    by_point = area_codes(city.easting_m, city.northing_m)
    stations = area_codes(city.stations[:, 0], city.stations[:, 1])
    area = np.where(default, stations[town], by_point[crime.point])
    person = np.isin(
        np.array(CLASSES)[crime.of_class], ["serious", "minor_violence", "indoors", "sexual"]
    )
    person |= codes == "N20"
    known = person & (rng.random(n) > 0.05)
    suspect = person & (rng.random(n) < 0.3)
    age = np.clip(
        np.where(rng.random(n) < 0.5, rng.normal(22, 5, n), rng.normal(41, 14, n)), 11, 92
    )
    kinds = {
        "Location Type": [kind.where for kind in KINDS_OF_EVENT],
        "DA Marker": ["Y" if kind.domestic else "N" for kind in KINDS_OF_EVENT],
    }
    return (
        pl.DataFrame(
            {
                "Offence Code": codes,
                "Offence Group": np.array([group.get(c, "") for c in codes]),
                "Location Type": np.array(kinds["Location Type"])[crime.kind],
                "DA Marker": np.array(kinds["DA Marker"])[crime.kind],
                "Grid E": east,
                "Grid N": north,
                "Area Code": area.astype(str),
                "Victim Age": age.astype(int),
                "Victim Sex": np.where(rng.random(n) < 0.56, "M", "F"),
                "Victim Ethnicity": np.array(ETHNIC)[pick(rng, [62, 20, 7, 4, 3, 4], n)],
                "Suspect Age": np.clip(rng.normal(27, 10, n), 11, 80).astype(int),
                "Outcome": np.array(
                    ["", "No suspect identified", "Charged", "Under investigation"]
                )[pick(rng, [0.1, 0.5, 0.12, 0.28], n)],
            }
        )
        .with_columns(
            pl.when(pl.Series(~missing)).then(pl.col("Grid E", "Grid N", "Area Code")),
        )
        .with_columns(
            pl.when(pl.Series(known)).then(pl.col("Victim Age", "Victim Sex", "Victim Ethnicity")),
            pl.when(pl.Series(suspect)).then(pl.col("Suspect Age")),
        )
    )


def _extracts(crimes: pl.DataFrame) -> pl.DataFrame:
    first_group = {code: group for code, _, group, _ in OFFENCES}
    then = crimes.with_columns(
        pl.when(pl.col("_amended").is_not_null() & (pl.col("Crime Status") == "Live"))
        .then(pl.col("Offence Code").replace(FIRST_CODED))
        .otherwise("Offence Code")
        .alias("Offence Code"),
        pl.when(pl.col("_amended").is_not_null())
        .then(pl.lit("Live"))
        .otherwise("Crime Status")
        .alias("Crime Status"),
    ).with_columns(pl.col("Offence Code").replace(first_group).alias("Offence Group"))
    late = then.filter(
        pl.col("Recorded").dt.day() > pl.col("Recorded").dt.month_end().dt.day() - 14
    )
    extract = pl.col("Recorded").dt.date().dt.month_end()
    amended = crimes.filter(pl.col("_amended").is_not_null())
    parts = [
        then.with_columns(_extract=extract),
        late.with_columns(_extract=extract.dt.offset_by("1d").dt.month_end()),
        amended.with_columns(_extract=pl.col("_amended").dt.date().dt.month_end()),
    ]
    whole = pl.concat(parts).filter(pl.col("_extract") <= CUT_OFF)
    # An amended crime stands once in an extract, as it was when the extract was made.
    whole = whole.with_columns(
        _seen=(pl.col("_amended").dt.date() <= pl.col("_extract")).fill_null(False)
    )
    settled = crimes.select(
        "Crime Number", _code="Offence Code", _group="Offence Group", _status="Crime Status"
    )
    whole = whole.join(settled, on="Crime Number", how="left").with_columns(
        pl.when("_seen").then("_code").otherwise("Offence Code").alias("Offence Code"),
        pl.when("_seen").then("_group").otherwise("Offence Group").alias("Offence Group"),
        pl.when("_seen").then("_status").otherwise("Crime Status").alias("Crime Status"),
    )
    order = [
        "Crime Number", "Recorded", "Committed From", "Committed To", "Offence Code",
        "Offence Group", "Grid E", "Grid N", "Area Code", "Location Type", "DA Marker",
        "Victim Age", "Victim Sex", "Victim Ethnicity", "Suspect Age", "Crime Status", "Outcome",
    ]  # fmt: skip
    return (
        whole.unique(["_extract", "Crime Number"], keep="last", maintain_order=True)
        .select("_extract", *order)
        .sort("_extract", "Recorded", "Crime Number")
    )
