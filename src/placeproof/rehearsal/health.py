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
    names = np.array([*(town[0] for town in TOWNS), "the road"])
    zone = city.point_zone[hurt.point]
    spots = {3 * spot.place: spot.name for spot in hotspots}
    words = [
        "home" if inside else spots.get(int(z), f"street in {names[town]}")
        for inside, z, town in zip(indoors, zone, city.point_town[hurt.point], strict=True)
    ]
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
    write_csv(folder / "health" / "ed_assaults.csv", rows)
    missing = rows["Location Text"].is_null()
    return {
        "attendances": rows.height,
        "missing_location": int(missing.sum()),
        "planted_missing_share": {"night": 0.48, "other": 0.22},
        "gap": [SITES[1], str(GAP[0]), str(GAP[1])],
    }


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
