"""How the fast lane for text reads times: as a list of parts, and with the changes of clocks."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from placeproof.files import position_text as fast

_PARTS = {
    "%Y": [fast.YEAR],
    "%m": [fast.MONTH],
    "%d": [fast.DAY],
    "%H": [fast.HOUR],
    "%M": [fast.MINUTE],
    "%S": [fast.SECOND],
    "%.f": [fast.FRACTION],
    "%z": [fast.OFFSET],
    "%#z": [fast.OFFSET],
    "%T": [fast.HOUR, 58, fast.MINUTE, 58, fast.SECOND],
    "%F": [fast.YEAR, 45, fast.MONTH, 45, fast.DAY],
}
_ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})([T ])(\d{2}):(\d{2})(:\d{2})?(\.\d{1,6})?(Z|[+-]\d{2}:?\d{2})?"
)
_NUMERIC = re.compile(r"(\d{2})([/.\-])(\d{2})([/.\-])(\d{4})([T ,])(\d{2}):(\d{2})(:\d{2})?")
_FIRST, _LAST = datetime(1969, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)


def of_pattern(pattern: str) -> NDArray[np.int64] | None:
    """
    The parts of a time whose pattern the user set.

    Parameters
    ----------
    pattern : str
        As for `strptime`, or "epoch_s" or "epoch_ms".

    Returns
    -------
    array of int64 or None
        None: a part of it is beyond the fast lane.
    """
    if pattern in ("epoch_s", "epoch_ms"):
        return np.array([fast.EPOCH_S if pattern == "epoch_s" else fast.EPOCH_MS])
    parts: list[int] = []
    for token in re.findall(r"%[.#]?\w|[^%]", pattern):
        if token in _PARTS:
            parts += _PARTS[token]
        elif token.startswith("%") or ord(token) >= 128:
            return None
        else:
            parts.append(ord(token))
    whole = {fast.YEAR, fast.MONTH, fast.DAY, fast.HOUR, fast.MINUTE} <= set(parts)
    return np.array(parts) if whole else None


def of_sample(text: str, *, day_first: bool | None) -> NDArray[np.int64] | None:
    """
    The parts of a time by one that was read; times of another form go the slow way.

    Parameters
    ----------
    text : str
        A time of the file.
    day_first : bool or None
        Whether 05/07/2021 is in July; None: only ISO 8601 is understood.

    Returns
    -------
    array of int64 or None
        None: it is beyond the fast lane.
    """
    if match := _ISO.fullmatch(text):
        parts = [fast.YEAR, 45, fast.MONTH, 45, fast.DAY, ord(match[4])]
        return np.array([*parts, *_clock(match[7], match[8], match[9])])
    match = _NUMERIC.fullmatch(text)
    if match is None or day_first is None:
        return None
    order = (fast.DAY, fast.MONTH) if day_first else (fast.MONTH, fast.DAY)
    parts = [order[0], ord(match[2]), order[1], ord(match[4]), fast.YEAR, ord(match[6])]
    return np.array([*parts, *_clock(match[9], None, None)])


def _clock(seconds: str | None, fraction: str | None, offset: str | None) -> list[int]:
    parts = [fast.HOUR, 58, fast.MINUTE]
    parts += [58, fast.SECOND] if seconds else []
    parts += [fast.FRACTION] if fraction else []
    return parts + ([] if not offset else [90] if offset == "Z" else [fast.OFFSET])


@lru_cache(maxsize=8)
def clock_changes(time_zone: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    When the clocks of a zone changed, from 1969 to 2100.

    Parameters
    ----------
    time_zone : str
        Name of the zone.

    Returns
    -------
    changes : array of int64
        Seconds since 1970 as the clocks showed them when each offset began; the last is an end.
    offsets : array of int64
        Seconds that the clocks were ahead of UTC from each change on.
    """
    zone = ZoneInfo(time_zone)
    starts, offsets = [_FIRST], [_ahead_s(zone, _FIRST)]
    day = _FIRST
    while day < _LAST:
        following = day + timedelta(days=7)
        if _ahead_s(zone, following) != offsets[-1]:
            low, high = day, following
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                middle = middle.replace(microsecond=0)
                if _ahead_s(zone, middle) == offsets[-1]:
                    low = middle
                else:
                    high = middle
            starts.append(high)
            offsets.append(_ahead_s(zone, high))
            day = high
        else:
            day = following
    shown = [int(at.timestamp()) + ahead for at, ahead in zip(starts, offsets, strict=True)]
    return np.array([*shown, int(_LAST.timestamp())]), np.array([*offsets, 0])


def _ahead_s(zone: ZoneInfo, at: datetime) -> int:
    ahead = at.astimezone(zone).utcoffset()
    return 0 if ahead is None else int(ahead.total_seconds())
