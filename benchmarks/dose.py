"""How long the dose takes, beside a bare sum of the same visits by place and day.

Run from the project's root: python benchmarks/dose.py
Writes dose.json beside this file. Ratios are taken side by side in one run.
"""

import json
import os
import resource
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from placeproof.calendar import NTE_PRESETS, operating_day
from placeproof.patrols.dose import Reckoning, dose_of_visits
from placeproof.patrols.hours import clocks

HERE = Path(__file__).resolve().parent
FIRST = date(2021, 7, 1)
MOST_S = 10.0
"""A few seconds for 24 hot spots over three years; the machine may be a slow one."""


def world(places: int, days: int, visits: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.Series]:
    """Invented visits, hot spots and observed days."""
    rng = np.random.default_rng(20210701)
    opens = int(datetime(2021, 7, 1, 5, tzinfo=UTC).timestamp()) * 1_000_000
    arrived = opens + rng.integers(0, days * 86_400, visits) * 1_000_000
    dwell_s = rng.gamma(3, 300, visits)
    names = pl.Series([f"H{number:04d}" for number in range(places)])
    seen = pl.DataFrame(
        {
            "device_id": rng.integers(0, 300, visits).astype(str),
            "hotspot_id": names[rng.integers(0, places, visits)],
            "arrived_at": pl.Series(arrived).cast(pl.Datetime("us", "UTC")),
            "dwell_s": dwell_s,
            "dwell_sd_s": np.full(visits, 10.0),
            "visible_s": dwell_s / 2,
        }
    )
    spots = pl.DataFrame(
        {
            "hotspot_id": names,
            "valid_from": [FIRST] * places,
            "valid_to": pl.Series([None] * places, dtype=pl.Date),
            "area_m2": [40_000.0] * places,
        }
    )
    return seen, spots, pl.date_range(FIRST, FIRST + timedelta(days=days - 1), eager=True)


def measure(places: int, days: int, visits: int) -> dict[str, object]:
    """Seconds for the hours, for the dose, and for a bare sum by place and day."""
    seen, spots, observed = world(places, days, visits)
    begun, worked = time.perf_counter(), time.process_time()
    seen.group_by("hotspot_id", operating_day(pl.col("arrived_at"))).agg(pl.col("dwell_s").sum())
    summed = time.perf_counter()
    hours = clocks(
        FIRST, FIRST + timedelta(days=days - 1), presets=tuple(NTE_PRESETS), bands=True, events=None
    )
    cut = time.perf_counter()
    by = Reckoning(
        hotspots=spots,
        observed_days=observed,
        clocks=hours,
        tasking=None,
        tasked_by="place",
        officers=None,
        vehicle_devices=(),
    )
    dose = dose_of_visits(seen, by=by)
    done = time.perf_counter()
    return {
        "places": places,
        "days": days,
        "visits": visits,
        "rows": dose.height,
        "bare_sum_s": round(summed - begun, 3),
        "hours_s": round(cut - summed, 2),
        "dose_s": round(done - cut, 2),
        "all_of_processor_time_s": round(time.process_time() - worked, 2),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
    }


def main() -> int:
    """Time, write, and fail where 24 hot spots over three years take more than a few seconds."""
    measure(4, 30, 1_000)
    found = [measure(24, 1096, 100_000), measure(5_000, 90, 500_000)]
    (HERE / "dose.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for row in found:
        print(json.dumps(row))
    first = found[0]
    return 0 if float(str(first["hours_s"])) + float(str(first["dose_s"])) <= MOST_S else 1


if __name__ == "__main__":
    sys.exit(main())
