"""Logs held against visits: borne out, phantom, or not to be told; visits that nobody logged."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from placeproof.calendar import operating_day
from placeproof.patrols.minutes import occupied
from placeproof.patrols.overlaps import overlapping
from placeproof.patrols.stretches import Moments, moments

Yes = NDArray[np.bool_]

MATCHED, OTHER_UNIT, ELSEWHERE, NO_PRESENCE, NOT_OBSERVED = STATUSES = (
    "matched",
    "other_unit",
    "elsewhere",
    "no_presence",
    "not_observed",
)
"""What can be said of a log; `held_logs` explains each."""

PHANTOM = (ELSEWHERE, NO_PRESENCE)
"""Logs that positions contradict."""


def held_logs(
    patrol_log: pl.DataFrame,
    visit: pl.DataFrame,
    *,
    tolerance_s: float,
    observed_days: pl.Series,
    reported: pl.DataFrame | None,
    unit_of_device: pl.DataFrame | None,
) -> pl.DataFrame:
    """
    Say of each log whether anybody was seen in its place at its time.

    Pseudonyms are compared where a log names a unit and at least half of the units that logs name
    are known among devices; else place and time alone. A log that positions contradict is not
    proof of anything: a device may have been left in the car.

    Parameters
    ----------
    patrol_log : table `patrol_log`
        A log without an end is held against its start.
    visit : table `visit`
    tolerance_s : float
        How far apart in time a log and a visit may be and still match.
    observed_days : Series of Date
        Operating days on which the source reported at all.
    reported : DataFrame or None
        `device_id`, `from_at`, `to_at`: when devices reported anything, wherever they were, as
        `reported.reporting` gives it. None: only the days of all together are known.
    unit_of_device : DataFrame or None
        `device_id`, `unit_id`: pseudonym of the unit that carries each device. None: logs may
        name devices themselves.

    Returns
    -------
    DataFrame
        One row per log: `log_id`, `hotspot_id`, `operating_day`, `started_at`, `ended_at`,
        `compared_by` (place_time_unit or place_time) and `status`:

        matched: a visit bears it out. other_unit: another unit was there, and the unit's own
        devices said nothing. elsewhere: another unit was there, while the unit's own devices
        reported from somewhere else. no_presence: nobody was there, although the unit's devices
        (or, where units are not compared, devices that go there) reported at the time.
        not_observed: nobody was seen, and none of them reported. No unit is named. Sorted by
        start and log.
    """
    logs = patrol_log.select(
        "log_id", "hotspot_id", "unit_id", "started_at",
        ended_at=pl.max_horizontal("started_at", "ended_at"),
        operating_day=operating_day(pl.col("started_at")),
    ).sort("started_at", "log_id")  # fmt: skip
    units = _units(visit, unit_of_device)
    known = units if reported is None else units + _units(reported, unit_of_device)
    compared = _comparable(logs["unit_id"], {unit for unit in known if unit is not None})
    anybody, same = _seen(logs, visit, units, tolerance_s)
    own, local = _reporting(logs, visit, reported, unit_of_device)
    if reported is None:
        own = local = logs["operating_day"].is_in(observed_days.to_list()).to_numpy()
    status = np.select(
        [
            np.where(compared, same, anybody),
            anybody & own & (reported is not None),
            anybody,
            np.where(compared, own, local),
        ],
        [MATCHED, ELSEWHERE, OTHER_UNIT, NO_PRESENCE],
        default=NOT_OBSERVED,
    )
    basis = np.where(compared, "place_time_unit", "place_time")
    return logs.drop("unit_id").with_columns(
        compared_by=pl.Series(basis, dtype=pl.String), status=pl.Series(status, dtype=pl.String)
    )


def unlogged(
    visit: pl.DataFrame, patrol_log: pl.DataFrame, *, tolerance_s: float, shortest_s: float
) -> pl.DataFrame:
    """
    Say of each presence in a place whether a log speaks of it.

    Parameters
    ----------
    visit : table `visit`
        Devices that were there together are one presence.
    patrol_log : table `patrol_log`
    tolerance_s : float
        How far apart in time a log and a presence may be and still match.
    shortest_s : float
        Shorter presences are left out: nobody logs driving through. No default.

    Returns
    -------
    DataFrame
        `place_id`, `operating_day`, `starts_at`, `ends_at`, `logged`, sorted. Null where no log
        of any place was supplied for that day.
    """
    slack = round(tolerance_s * 1e6)
    there = occupied(visit, add_interval=True).with_columns(
        operating_day=operating_day(pl.col("starts_at"))
    )
    there = there.filter((pl.col("ends_at") - pl.col("starts_at")).dt.total_seconds() >= shortest_s)
    logged = np.zeros(there.height, dtype=np.bool_)
    number = there.select("place_id").with_row_index("n")
    for (place,), part in number.group_by("place_id"):
        index = part["n"].to_numpy()
        here = there[index]
        logs = patrol_log.filter(pl.col("hotspot_id") == place)
        first, last = _span(logs)
        mine, _ = overlapping(
            moments(here["starts_at"]), moments(here["ends_at"]), first - slack, last + slack
        )
        logged[index[np.unique(mine)]] = True
    days = patrol_log.select(operating_day(pl.col("started_at"))).to_series().unique().to_list()
    told = pl.when(pl.col("operating_day").is_in(days)).then(pl.Series(logged, dtype=pl.Boolean))
    return there.with_columns(logged=told).select(
        "place_id", "operating_day", "starts_at", "ends_at", "logged"
    )


def observations(patrol_log: pl.DataFrame) -> pl.DataFrame:
    """
    Hand the free text of logs on to coding, as turns of one speaker each.

    The text is personal until it has been redacted: nothing here prints it.

    Parameters
    ----------
    patrol_log : table `patrol_log`

    Returns
    -------
    DataFrame
        Columns of table `turn` (`session_id` is the log, `turn` 1, no speaker) with `hotspot_id`
        and `operating_day`; logs without text have no row. Sorted by start and log.
    """
    return (
        patrol_log.filter(pl.col("observations").str.strip_chars().str.len_chars() > 0)
        .sort("started_at", "log_id")
        .select(
            "hotspot_id",
            "source_sha256",
            "source_row",
            operating_day=operating_day(pl.col("started_at")),
            session_id="log_id",
            turn=pl.lit(1, dtype=pl.Int64),
            speaker_id=pl.lit(None, dtype=pl.String),
            started_s=pl.lit(None, dtype=pl.Float64),
            words="observations",
        )
    )


def _units(table: pl.DataFrame, unit_of_device: pl.DataFrame | None) -> list[str | None]:
    """Unit of the device of each row; the device itself where nothing else is said."""
    if unit_of_device is None:
        return table["device_id"].to_list()
    named = dict(unit_of_device.select("device_id", "unit_id").iter_rows())
    return [named.get(device) for device in table["device_id"].to_list()]


def _comparable(units: pl.Series, known: set[str]) -> Yes:
    named = set(units.drop_nulls().to_list())
    enough = bool(named) and 2 * len(named & known) >= len(named)
    return (units.is_in(sorted(known)).fill_null(False) & enough).to_numpy()


def _span(logs: pl.DataFrame) -> tuple[Moments, Moments]:
    ended = logs.select(at=pl.max_horizontal("started_at", "ended_at"))["at"]
    return moments(logs["started_at"]), moments(ended)


def _seen(
    logs: pl.DataFrame, visit: pl.DataFrame, units: list[str | None], tolerance_s: float
) -> tuple[Yes, Yes]:
    """Whether anybody, and whether the log's own unit, was in its place at its time."""
    slack = round(tolerance_s * 1e6)
    anybody, same = (np.zeros(logs.height, dtype=np.bool_) for _ in range(2))
    there = visit.select("hotspot_id", "arrived_at", "left_at").with_columns(
        unit=pl.Series(units, dtype=pl.String)
    )
    numbered = logs.with_row_index("n")
    for (place,), part in numbered.group_by("hotspot_id"):
        here = there.filter(pl.col("hotspot_id") == place)
        first, last = _span(part)
        log, stay = overlapping(
            first - slack, last + slack, moments(here["arrived_at"]), moments(here["left_at"])
        )
        index = part["n"].to_numpy()
        anybody[index[np.unique(log)]] = True
        alike = (part["unit_id"][log] == here["unit"][stay]).fill_null(False).to_numpy()
        same[index[np.unique(log[alike])]] = True
    return anybody, same


def _reporting(
    logs: pl.DataFrame,
    visit: pl.DataFrame,
    reported: pl.DataFrame | None,
    unit_of_device: pl.DataFrame | None,
) -> tuple[Yes, Yes]:
    """Whether the log's own unit, and whether devices that go to its place, reported then."""
    nobody = np.zeros(logs.height, dtype=np.bool_)
    if reported is None:
        return nobody, nobody
    theirs = pl.Series(_units(reported, unit_of_device), dtype=pl.String)
    said = reported.with_columns(unit=theirs).select("device_id", "unit", "from_at", "to_at")
    own = _during(logs, said.rename({"unit": "key"}), "unit_id")
    goers = visit.select("device_id", key="hotspot_id").unique().sort("key", "device_id")
    by_place = goers.join(said, on="device_id")
    local = _during(logs, by_place, "hotspot_id")
    # Where no device ever goes, any device that reported is one that could have been there.
    everyone = said.with_columns(key=pl.lit("")).select("key", "from_at", "to_at").unique()
    anyone = _during(logs.with_columns(all=pl.lit("")), everyone, "all")
    unvisited = ~logs["hotspot_id"].is_in(goers["key"].unique().to_list()).to_numpy()
    return own, np.where(unvisited, anyone, local)


def _during(logs: pl.DataFrame, said: pl.DataFrame, column: str) -> Yes:
    """Whether a stretch under the log's own key shares a moment with the log."""
    found = np.zeros(logs.height, dtype=np.bool_)
    parts = said.partition_by("key", as_dict=True)
    for (key,), part in logs.with_row_index("n").group_by(column):
        there = parts.get((key,))
        if key is None or there is None:
            continue
        first, last = _span(part)
        log, _ = overlapping(first, last, moments(there["from_at"]), moments(there["to_at"]) - 1)
        found[part["n"].to_numpy()[np.unique(log)]] = True
    return found
