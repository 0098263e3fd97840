"""From pings as they come to tracks: sorted, without repeats and teleports, stillness marked."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from placeproof.patrols.compiled import compiled
from placeproof.patrols.outline_index import UNKNOWN_E7, degrees_e7

MICROSECONDS = 1_000_000
LONGEST_JUMP = 5
"""A run of impossible pings longer than this is not dropped: the device may really be there."""

_METRES_PER_E7 = 6_371_008.8 * np.pi / 180 * 1e-7
_DROPPED = ("no position", "poor accuracy", "repeat of a device-second", "impossible speed")

Integers = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Tracks:
    """
    One entry per ping that is left, device by device, in order of time.

    Attributes
    ----------
    device_ids : list of str
        Sorted; `device` refers to places in this list.
    device : int32
    at : int64
        Microseconds since 1970 (UTC).
    longitude_e7, latitude_e7 : int32
    accuracy_m, speed_m_s : float64
        NaN where not given.
    still : int32
        Stretch in which the device did not move, from 1; 0 where it moved.
    cleaned : DataFrame
        What was dropped and why: `reason`, `treated` (dropped, noted), `pings`.
    """

    device_ids: list[str]
    device: NDArray[np.int32]
    at: Integers
    longitude_e7: NDArray[np.int32]
    latitude_e7: NDArray[np.int32]
    accuracy_m: Numbers
    speed_m_s: Numbers
    still: NDArray[np.int32]
    cleaned: pl.DataFrame


def tracks(
    pings: pl.DataFrame,
    *,
    default_accuracy_m: float | None,
    worst_accuracy_m: float,
    fastest_m_s: float,
    still_after_s: float,
    still_within_m: float,
) -> Tracks:
    """
    Sort pings by device and time, and take out what cannot be.

    Of several pings of a device in one second the most accurate stays (then the earliest, then the
    one farthest south-west: no rule depends on the order of the rows). A ping that could only be
    reached, and only be left, at more than `fastest_m_s` is dropped, and so is a run of up to five
    of them from which the device returns; both accuracies are allowed for, and no time is taken
    for shorter than a second. A run that does not return is kept and counted.

    Parameters
    ----------
    pings : table `ping`
        Any order. Not modified.
    default_accuracy_m : float or None
        Accuracy where a ping gives none; None: such a position is taken at its word.
    worst_accuracy_m : float
        Positions less accurate than this are dropped.
    fastest_m_s : float
        Fastest that a device can move.
    still_after_s, still_within_m : float
        A device that stays within this distance of one position for longer than this time has been
        left somewhere.

    Returns
    -------
    Tracks
    """
    accuracy = pl.col("accuracy_m").cast(pl.Float64).fill_nan(None)
    wanted = pings.select(
        "device_id",
        at=pl.col("at").dt.epoch("us"),
        x=pl.lit(pl.Series(degrees_e7(pings["longitude_deg"]), dtype=pl.Int32)),
        y=pl.lit(pl.Series(degrees_e7(pings["latitude_deg"]), dtype=pl.Int32)),
        accuracy=accuracy.fill_null(np.nan if default_accuracy_m is None else default_accuracy_m),
        speed=pl.col("speed_m_s").cast(pl.Float64).fill_null(np.nan),
    )
    placed = (pl.col("x") != UNKNOWN_E7) & (pl.col("y").abs() <= 900_000_000)
    located = wanted.filter(placed & ~((pl.col("x") == 0) & (pl.col("y") == 0)))
    usable = located.filter(pl.col("accuracy").is_nan() | (pl.col("accuracy") <= worst_accuracy_m))
    device_ids = usable["device_id"].unique().sort().to_list()
    columns = _sorted(usable, device_ids)
    single = _apply(columns, _best_of_each_second(*columns))
    fits, odd_steps = _possible(*single[:5], fastest_m_s)
    kept = _apply(single, np.flatnonzero(fits))
    still = _stretches(*kept[:4], still_after_s, still_within_m)
    sizes = (wanted.height, located.height, usable.height, len(single[0]), len(kept[0]))
    counts = pl.DataFrame(
        {
            "reason": [*_DROPPED, "impossible speed, never returned"],
            "treated": ["dropped"] * len(_DROPPED) + ["noted"],
            "pings": [*(-np.diff(sizes)).tolist(), int(odd_steps)],
        },
        schema={"reason": pl.String, "treated": pl.String, "pings": pl.Int64},
    )
    device, at, x, y, accuracy_m, speed_m_s = kept
    return Tracks(device_ids, device, at, x, y, accuracy_m, speed_m_s, still, counts)


def _sorted(usable: pl.DataFrame, device_ids: list[str]) -> tuple[NDArray[Any], ...]:
    code = pl.col("device_id").cast(pl.Enum(device_ids)).to_physical().cast(pl.Int32)
    names = ("device", "at", "x", "y", "accuracy", "speed")
    coded = usable.with_columns(device=code).select(names)
    # Copies: what polars lends is read-only, which would be another type to compile for.
    columns = tuple(np.array(coded[name].to_numpy(), order="C") for name in names)
    if _in_order(*columns[:2]):
        return columns
    rows = _order(*columns[:2], len(device_ids))
    return tuple(column[rows] for column in columns)


def _apply(columns: tuple[NDArray[Any], ...], rows: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
    if len(rows) == len(columns[0]):
        return columns
    return tuple(column[rows] for column in columns)


@compiled()
def _in_order(device, at):  # type: ignore[no-untyped-def]
    for row in range(1, len(device)):
        if device[row] < device[row - 1]:
            return False
        if device[row] == device[row - 1] and at[row] < at[row - 1]:
            return False
    return True


@compiled()
def _order(device, at, devices):  # type: ignore[no-untyped-def]
    """Rows by device and time: devices are counted out, then each one's moments are sorted."""
    begins = np.zeros(devices + 1, np.int64)
    for row in range(len(device)):
        begins[device[row] + 1] += 1
    for code in range(devices):
        begins[code + 1] += begins[code]
    free = begins[:-1].copy()
    rows = np.empty(len(device), np.int64)
    for row in range(len(device)):
        rows[free[device[row]]] = row
        free[device[row]] += 1
    for code in range(devices):
        own = rows[begins[code] : begins[code + 1]].copy()
        if len(own) > 1:
            rows[begins[code] : begins[code + 1]] = own[np.argsort(at[own])]
    return rows


@compiled()
def _best_of_each_second(device, at, x, y, accuracy, speed):  # type: ignore[no-untyped-def]
    """Rows to keep. A total order of what can differ, so that shuffled rows give the same."""
    kept = np.empty(len(device), np.int64)
    count = 0
    for row in range(len(device)):
        if count == 0:
            kept[0] = row
            count = 1
            continue
        best = kept[count - 1]
        same = device[row] == device[best] and at[row] // MICROSECONDS == at[best] // MICROSECONDS
        if not same:
            kept[count] = row
            count += 1
            continue
        a, b = _or_infinite(accuracy[row]), _or_infinite(accuracy[best])
        if a != b:
            better = a < b
        elif at[row] != at[best]:
            better = at[row] < at[best]
        elif y[row] != y[best]:
            better = y[row] < y[best]
        elif x[row] != x[best]:
            better = x[row] < x[best]
        else:
            better = _or_infinite(speed[row]) < _or_infinite(speed[best])
        if better:
            kept[count - 1] = row
    return kept[:count]


@compiled()
def _or_infinite(value):  # type: ignore[no-untyped-def]
    return np.inf if np.isnan(value) else value


@compiled()
def distance_m(x1, y1, x2, y2):  # type: ignore[no-untyped-def]
    """
    Measure between two positions on a sphere, as a plane that is right within 0.5 % to 100 km.

    Parameters
    ----------
    x1, y1, x2, y2 : int
        Longitude and latitude × 1e7.
    """
    east = (np.float64(x2) - x1) * np.cos((np.float64(y1) + y2) * 0.5e-7 * np.pi / 180)
    north = np.float64(y2) - y1
    return _METRES_PER_E7 * np.sqrt(east * east + north * north)


@compiled()
def _too_fast(a, b, at, x, y, accuracy, fastest_m_s):  # type: ignore[no-untyped-def]
    seconds = max((at[b] - at[a]) / MICROSECONDS, 1.0)
    reach = fastest_m_s * seconds
    # The cosine is spared where even the equator would not make the step impossible.
    if (abs(np.int64(x[b]) - x[a]) + abs(np.int64(y[b]) - y[a])) * _METRES_PER_E7 <= reach:
        return False
    for one in (a, b):
        if not np.isnan(accuracy[one]):
            reach += accuracy[one]
    return distance_m(x[a], y[a], x[b], y[b]) > reach


@compiled()
def _possible(device, at, x, y, accuracy, fastest_m_s):  # type: ignore[no-untyped-def]
    fits = np.ones(len(device), np.bool_)
    odd_steps = 0
    before = -1
    row = 0
    while row < len(device):
        if before < 0 or device[before] != device[row]:
            before = row
            # A first ping from which the second cannot be reached, though the third can from there.
            if (
                row + 2 < len(device)
                and device[row + 2] == device[row]
                and _too_fast(row, row + 1, at, x, y, accuracy, fastest_m_s)
                and _too_fast(row, row + 2, at, x, y, accuracy, fastest_m_s)
                and not _too_fast(row + 1, row + 2, at, x, y, accuracy, fastest_m_s)
            ):
                fits[row] = False
                before = row + 1
                row += 1
            row += 1
            continue
        if not _too_fast(before, row, at, x, y, accuracy, fastest_m_s):
            before = row
            row += 1
            continue
        back = 0
        for step in range(1, LONGEST_JUMP + 1):
            after = row + step
            if after >= len(device) or device[after] != device[row]:
                # The track ends away from where it was: dropped if it is the last ping alone.
                back = step if step == 1 else 0
                break
            away = _too_fast(after - 1, after, at, x, y, accuracy, fastest_m_s)
            if away and (
                step == 1 or not _too_fast(before, after, at, x, y, accuracy, fastest_m_s)
            ):
                back = step
                break
        if back:
            fits[row : row + back] = False
            row += back
        else:
            odd_steps += 1
            before = row
            row += 1
    return fits, odd_steps


@compiled()
def _stretches(device, at, x, y, still_after_s, still_within_m):  # type: ignore[no-untyped-def]
    """
    Number the stretches in which a device stayed around their first ping.

    A track is cut where the device is farther than that from the first ping of its piece, and where
    it was silent for as long as a stretch must last: a device switched off was not left on. Pieces
    that last long enough are stretches.
    """
    still = np.zeros(len(device), np.int32)
    number = 0
    first = 0
    while first < len(device):
        last = first
        while (
            last + 1 < len(device)
            and device[last + 1] == device[first]
            and (at[last + 1] - at[last]) / MICROSECONDS <= still_after_s
            and distance_m(x[first], y[first], x[last + 1], y[last + 1]) <= still_within_m
        ):
            last += 1
        if (at[last] - at[first]) / MICROSECONDS > still_after_s:
            number += 1
            still[first : last + 1] = number
        first = last + 1
    return still
