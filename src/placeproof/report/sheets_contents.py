"""What the sergeant's sheets are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl


@dataclass(frozen=True)
class SheetContents:
    """
    Tables of one run, by place and week; no device, unit or officer stands in them.

    Parameters
    ----------
    study, force, stamp : str
        As in the report.
    cut_off : date
        Last day of the data.
    weeks : tuple of date
        Mondays of the weeks that are printed, in order.
    weeks_shown : int
        Weeks of the calendar, the printed one included.
    weeks_back : int
        Weeks that "what stands out" and the lengths of visits look back on.
    target_minutes : float
        Length of visit that is aimed at.
    reach_m : float
        How near a route must pass for a piece to be reached.
    source : mapping
        Hot spot to the words for the source of its minutes.
    places : DataFrame
        One row per hot spot: `hotspot_id`, `name`, `town`.
    outlines : DataFrame
        One row per version: `hotspot_id`, `version`, `valid_from`, `valid_to`, `geometry`.
    weekly : DataFrame
        One row per hot spot and week, of the printed weeks and those before them.
    windows : DataFrame or None
        One row per window, with its state; None: no tasking supplied.
    days : DataFrame or None
        `hotspot_id`, `operating_day`, `patrol_minutes`; None: no presence supplied.
    bands : DataFrame or None
        `hotspot_id`, `operating_day`, `hours` (band:06-10), `patrol_minutes`.
    visits : DataFrame or None
        `hotspot_id`, `week`, `dwell_s`; None: no visits supplied.
    changes : DataFrame
        One row per hot spot and week: what stands out.
    pieces, reached, shares : DataFrame or None
        Coverage by weeks; None: no routes supplied.
    routes : DataFrame or None
        `hotspot_id`, `week`, `line`.
    crimes : DataFrame or None
        `hotspot_id`, `week`, `outcome_label`, `count` (null: not supplied).
    """

    study: str
    force: str
    stamp: str
    cut_off: date
    weeks: tuple[date, ...]
    weeks_shown: int
    weeks_back: int
    target_minutes: float
    reach_m: float
    source: Mapping[str, str]
    places: pl.DataFrame
    outlines: pl.DataFrame
    weekly: pl.DataFrame
    windows: pl.DataFrame | None
    days: pl.DataFrame | None
    bands: pl.DataFrame | None
    visits: pl.DataFrame | None
    changes: pl.DataFrame
    pieces: pl.DataFrame | None
    reached: pl.DataFrame | None
    shares: pl.DataFrame | None
    routes: pl.DataFrame | None
    crimes: pl.DataFrame | None
