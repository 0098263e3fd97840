"""What hospitals send: assault attendances with places that are often missing, and admissions."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from placeproof.rehearsal.choices import CUT_OFF
from placeproof.rehearsal.city import TOWNS, City
from placeproof.rehearsal.crimes import moments, on_the_clock
from placeproof.rehearsal.draws import pick
from placeproof.rehearsal.happenings import Events
from placeproof.rehearsal.offences import CLASSES
from placeproof.rehearsal.rhythm import DAYS
from placeproof.rehearsal.selection import Hotspot
from placeproof.rehearsal.sheets import write_csv

SITES = ("Northmere Infirmary", "Quillbeck Cottage Hospital")
GAP = (date(2022, 2, 1), date(2022, 3, 31))
"""The second hospital sent nothing in these months."""

ED_SECTION = """
# Attendances after an assault. Quillbeck sent nothing for February and March 2022.
[data.ed]
contract = "ed_assault"
files = ["health/ed_assaults.csv"]
time_format = "%d/%m/%Y %H:%M"
time_zone = "Europe/London"
[data.ed.columns]
attendance_id = "Pseudo ID"
site = "Site"
arrived_at = "Arrival"
assaulted_at = "Assault Time"
method = "Method"
location_type = "Location Type"
location_text = "Location Text"

# Names that people give to places that are no hot spot, each with a point in it.
[gazetteer]
file = "health/gazetteer.csv"
"""
ADMISSION_SECTION = """
# Admissions by month and town of residence; the hospital replaced counts of 1 to 7 by "*".
[data.admissions]
contract = "admission"
files = ["health/admissions.csv"]
date_format = "%d/%m/%Y"
[data.admissions.columns]
month = "Month"
area_code = "Area"
cause = "ICD-10"
admissions = "Admissions"
suppressed = "Suppressed"
[data.admissions.values.admissions]
"*" = ""
[data.admissions.values.suppressed]
"yes" = "true"
"no" = "false"
[data.admissions.constants]
area_kind = "residence"
"""


def write_ed(
    folder: Path,
    city: City,
    hotspots: Sequence[Hotspot],
    events: Events,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """
    Write the assault attendances; places go missing more often at night.

    Parameters
    ----------
    folder : Path
        The study's `data`.
    city : City
        The ground.
    hotspots : sequence of Hotspot
        The patrolled places, whose names patients give.
    events : Events
        What happened with patrols.
    rng : Generator
        Source of randomness.
    """
    chance = np.zeros(len(CLASSES))
    chance[CLASSES.index("serious")], chance[CLASSES.index("indoors")] = 0.075, 0.02
    hurt = events.where(rng.random(len(events.mark)) < chance[events.of_class])
    at = moments(hurt)
    n = len(at)
    arrived = on_the_clock(at + rng.integers(15, 200, n).astype("timedelta64[m]"))
    site = np.where((city.point_town[hurt.point] == 1) & (rng.random(n) < 0.6), 1, 0)
    indoors = hurt.of_class == CLASSES.index("indoors")
    night = (hurt.hour >= 14) & (hurt.hour < 23)
    told = rng.random(n) > np.where(night, 0.48, 0.22)
    towns = np.array([*(town[0] for town in TOWNS), "the road"])
    zone = city.point_zone[hurt.point]
    inside = np.where((zone % 3 == 0) & (zone < 3 * len(city.outlines)), zone // 3, -1)
    words = _words(city, inside, towns[city.point_town[hurt.point]], indoors, rng)
    arrival_day = arrived.astype("datetime64[D]")
    gap = (
        (site == 1)
        & (arrival_day >= np.datetime64(GAP[0]))
        & (arrival_day <= np.datetime64(GAP[1]))
    )
    kept = ~gap & (arrived < np.datetime64(CUT_OFF))
    rows = (
        pl.DataFrame(
            {
                "Site": np.array(SITES)[site],
                "Arrival": arrived.astype("datetime64[us]"),
                "Assault Time": at.astype("datetime64[us]"),
                "Method": np.array(["Fist or foot", "Blade", "Bottle or glass", "Other object"])[
                    pick(rng, [0.68, 0.1, 0.12, 0.1], n)
                ],
                "Location Type": np.where(
                    indoors, "Home", np.where(night, "Pub or club", "Street")
                ),
                "Location Text": words,
                "place": np.where(indoors, -1, inside),
            }
        )
        .with_columns(
            pl.when(pl.Series(told)).then(pl.col("Location Type", "Location Text")),
            pl.when(pl.Series(rng.random(n) > 0.15)).then(pl.col("Assault Time")),
        )
        .filter(pl.Series(kept))
        .sort("Arrival", "Site")
    )
    rows = rows.select(pl.format("E{}", pl.int_range(1, pl.len() + 1)).alias("Pseudo ID"), pl.all())
    write_csv(folder / "health" / "ed_assaults.csv", rows.drop("place"))
    write_csv(folder / "health" / "gazetteer.csv", _gazetteer(city, hotspots))
    spots = {spot.place: spot.hotspot_id for spot in hotspots}
    missing = rows["Location Text"].is_null()
    return {
        "attendances": rows.height,
        "missing_location": int(missing.sum()),
        "in_hot_spots": {
            row["Pseudo ID"]: spots[row["place"]]
            for row in rows.iter_rows(named=True)
            if row["place"] in spots
        },
        "planted_missing_share": {"night": 0.48, "other": 0.22},
        "gap": [SITES[1], str(GAP[0]), str(GAP[1])],
    }


def _words(
    city: City, place: np.ndarray, town: np.ndarray, indoors: np.ndarray, rng: np.random.Generator
) -> list[str]:
    """Places as people say them: in full, in passing, misspelt, half, or not at all."""
    how = pick(rng, [0.52, 0.14, 0.12, 0.08, 0.14], len(place))
    at = rng.integers(1, 4, len(place))
    words = []
    for where, street, home, form, letter in zip(place, town, indoors, how, at, strict=True):
        name = city.place_names[where] if where >= 0 else ""
        if home:
            words.append("at home" if form == 1 else "home")
        elif where < 0 or form == 4:
            words.append(f"street in {street}" if form != 2 else "in town, cannot say where")
        elif form == 0:
            words.append(name)
        elif form == 1:
            words.append(f"outside the {name.lower()}, {street}")
        elif form == 2:
            # Two letters change places: a slip of the pen.
            words.append(name[:letter] + name[letter + 1] + name[letter] + name[letter + 2 :])
        else:
            words.append(name.split()[-1].lower())
    return words


def _gazetteer(city: City, hotspots: Sequence[Hotspot]) -> pl.DataFrame:
    """Names of the busy places that are no hot spot, with a point in each."""
    patrolled = {spot.place for spot in hotspots}
    others = [place for place in range(len(city.outlines)) if place not in patrolled]
    points = [city.outlines[place].centroid for place in others]
    return pl.DataFrame(
        {
            "name": [city.place_names[place] for place in others],
            "easting_m": [round(point.x, 1) for point in points],
            "northing_m": [round(point.y, 1) for point in points],
        }
    )


def write_admissions(folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    """
    Write monthly admissions by town of residence, small counts replaced by an asterisk.

    Parameters
    ----------
    folder : Path
        The study's `data`.
    rng : Generator
        Source of randomness.
    """
    mean = {"X85-Y09": (26.0, 8.5, 7.0, 6.0, 4.0, 2.5), "X99": (6.5, 1.6, 1.2, 1.0, 0.6, 0.4)}
    rows, hidden = [], 0
    month = DAYS[0].replace(day=1)
    while month <= DAYS[-1]:
        quiet = 0.7 if date(2020, 3, 1) <= month <= date(2021, 6, 30) else 1.0
        for town in range(len(TOWNS)):
            for cause, means in mean.items():
                count = int(rng.poisson(means[town] * quiet))
                small = 1 <= count <= 7
                hidden += small
                rounded = "*" if small else str(5 * round(count / 5))
                rows.append(
                    {
                        "Month": month,
                        "Area": f"X98{town + 1:06d}",
                        "ICD-10": cause,
                        "Admissions": rounded,
                        "Suppressed": "yes" if small else "no",
                    }
                )
        month = (month + timedelta(32)).replace(day=1)
    write_csv(folder / "health" / "admissions.csv", pl.DataFrame(rows))
    return {"rows": len(rows), "suppressed": hidden, "planted_rate_ratio": 1.0}
