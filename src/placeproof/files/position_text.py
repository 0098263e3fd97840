"""The fast lane for text: plain records become numbers in one pass; all others are left aside.

What this lane accepts, `positions.judged` accepts with the same numbers (a test compares them); a
record that it has any doubt about (a blank, a quotation mark, another form) is only pointed at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

NONE, DEVICE, AT, X, Y, ACCURACY, SPEED = range(7)
"""What a column is."""

YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, FRACTION, OFFSET, EPOCH_S, EPOCH_MS = range(1000, 1010)
"""Parts of a time; smaller numbers are bytes that stand in the text."""

_SLOTS = 1 << 16
_MOST_DEVICES = 40_000
_TIE = 1e-5  # nearer to a half, text and double may round apart


def compiled(function: Callable[..., Any]) -> Any:
    """
    Compile a function that holds no lock; the machine code is kept where it can be written.

    Parameters
    ----------
    function : callable
        Of numbers and arrays.
    """
    try:
        return njit(nogil=True, cache=True)(function)
    except (OSError, RuntimeError):
        return njit(nogil=True)(function)


@dataclass(frozen=True)
class Plain:
    """
    What the fast lane made of a piece of text.

    Parameters
    ----------
    line : array of int64
        Number of the line, from 0, of each record that was read.
    device : array of int32
        Which of `device_ids`; -1 where no column names devices.
    at_us : array of int64
        Microseconds since 1970 UTC.
    x, y : array of float64
        As in the file.
    accuracy, speed : array of float64
        NaN: none, or a number below 0.
    device_ids : list of str
        Devices of the piece.
    left : array of int64, n × 3
        Line, first and last byte of each record that was left aside.
    lines : int
        Lines of the piece.
    negative : array of int64
        How many accuracies and speeds were below 0.
    """

    line: NDArray[np.int64]
    device: NDArray[np.int32]
    at_us: NDArray[np.int64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    speed: NDArray[np.float64]
    device_ids: list[str]
    left: NDArray[np.int64]
    lines: int
    negative: NDArray[np.int64]


def read(
    text: bytes,
    *,
    separator: str,
    roles: NDArray[np.int8],
    form: NDArray[np.int64],
    changes: NDArray[np.int64],
    offsets: NDArray[np.int64],
    bounds: NDArray[np.float64],
    before_us: int,
) -> Plain:
    """
    Read whole lines.

    Parameters
    ----------
    text : bytes
        Lines without a header, as UTF-8.
    separator : str
        One character.
    roles : array of int8
        What each column is.
    form : array of int64
        How times are written: parts and bytes.
    changes, offsets : array of int64
        As `clock_changes` gives them; used for times that carry no offset.
    bounds : array of float64
        Lowest and highest x, lowest and highest y, and what one of the two must exceed.
    before_us : int
        Later positions are left aside.
    """
    buffer = np.frombuffer(text, dtype=np.uint8)
    most = text.count(b"\n") + 1
    line = np.empty(most, np.int64)
    device = np.empty(most, np.int32)
    at = np.empty(most, np.int64)
    numbers = np.empty((4, most), np.float64)
    left = np.empty((most, 3), np.int64)
    first = np.empty((_MOST_DEVICES, 2), np.int64)
    negative = np.zeros(2, np.int64)
    rows, aside, lines, devices = _read(
        buffer, ord(separator), roles, form, changes, offsets, bounds, before_us,
        line, device, at, numbers, left, first, negative,
    )  # fmt: skip
    names = [text[start:end].decode("utf-8") for start, end in first[:devices]]
    return Plain(
        line=line[:rows],
        device=device[:rows],
        at_us=at[:rows],
        x=numbers[0, :rows],
        y=numbers[1, :rows],
        accuracy=numbers[2, :rows],
        speed=numbers[3, :rows],
        device_ids=names,
        left=left[:aside],
        lines=lines,
        negative=negative,
    )


@compiled
def _read(
    text: Any, mark: int, roles: Any, form: Any, changes: Any, offsets: Any,
    bounds: Any, before_us: int,
    line: Any, device: Any, at: Any, numbers: Any, left: Any, first: Any, negative: Any,
) -> tuple[int, int, int, int]:  # fmt: skip
    size = text.shape[0]
    width = roles.shape[0]
    slots = np.full(_SLOTS, -1, np.int32)
    value = np.empty(4, np.float64)
    known = np.zeros(2, np.int64)  # the change of clocks that the last time fell after
    rows = aside = lines = devices = 0
    start = 0
    while start < size:
        end = start
        while end < size and text[end] != 10:
            end += 1
        stop = end - 1 if end > start and text[end - 1] == 13 else end
        good = stop > start
        code = -1
        moment = 0
        value[2] = value[3] = np.nan
        field = 0
        place = start
        below_accuracy = below_speed = 0
        while good:
            close = place
            while close < stop and text[close] != mark:
                close += 1
            opens, shuts = place, close
            if shuts - opens >= 2 and text[opens] == 34 and text[shuts - 1] == 34:
                opens, shuts = opens + 1, shuts - 1
            role = roles[field] if field < width else -1
            if role < 0:
                good = False
                break
            for byte in range(opens, shuts):
                if text[byte] == 34:
                    good = False
            if role == 1:
                if shuts == opens or text[opens] <= 32 or text[shuts - 1] <= 32:
                    good = False
                else:
                    for byte in range(opens, shuts):
                        if text[byte] >= 128:  # blanks beyond ASCII, or no text at all
                            good = False
                    if good:
                        code = _code(text, opens, shuts, slots, first, devices)
                        if code == devices:
                            devices += 1
                        elif code < 0:
                            good = False
            elif role == 2:
                moment, good_time = _time(text, opens, shuts, form, changes, offsets, known)
                good = good and good_time
            elif role >= 3:
                number, state = _number(text, opens, shuts)
                if role <= 4:
                    good = good and state == 0
                    value[role - 3] = number
                elif state == 0 and number >= 0.0:
                    value[role - 3] = number
                elif state == 0:
                    if role == 5:
                        below_accuracy = 1
                    else:
                        below_speed = 1
                elif state != 1:
                    good = False
            field += 1
            if close >= stop:
                break
            place = close + 1
            if place == stop:  # a separator at the end: one blank field more
                role = roles[field] if field < width else -1
                if role < 0 or 1 <= role <= 4:
                    good = False
                field += 1
                break
        if good and field == width:
            x, y = value[0], value[1]
            good = (
                moment < before_us and bounds[0] <= x <= bounds[1] and bounds[2] <= y <= bounds[3]
            )
            # 0, 0 lies in the sea, and nothing of Great Britain near the origin of the grid.
            if bounds[4] > 0.0:
                good = good and (x > bounds[4] or y > bounds[4])
            else:
                good = good and not (x == 0.0 and y == 0.0)
        if good and field == width:
            line[rows] = lines
            device[rows] = code
            at[rows] = moment
            for which in range(4):
                numbers[which, rows] = value[which]
            negative[0] += below_accuracy
            negative[1] += below_speed
            rows += 1
        else:
            left[aside, 0] = lines
            left[aside, 1] = start
            left[aside, 2] = end
            aside += 1
        lines += 1
        start = end + 1
    return rows, aside, lines, devices


@compiled
def _code(text: Any, opens: int, shuts: int, slots: Any, first: Any, devices: int) -> int:
    """Number of a device in this piece; the next free one if it is new, -1 if all are taken."""
    hashed = np.uint64(14695981039346656037)
    for byte in range(opens, shuts):
        hashed = (hashed ^ np.uint64(text[byte])) * np.uint64(1099511628211)
    slot = np.int64((hashed ^ (hashed >> np.uint64(29))) & np.uint64(_SLOTS - 1))
    length = shuts - opens
    while True:
        code = slots[slot]
        if code < 0:
            if devices >= _MOST_DEVICES:
                return -1
            slots[slot] = devices
            first[devices, 0] = opens
            first[devices, 1] = shuts
            return devices
        if first[code, 1] - first[code, 0] == length:
            same = True
            begins = first[code, 0]
            for step in range(length):
                if text[begins + step] != text[opens + step]:
                    same = False
                    break
            if same:
                return code
        slot = (slot + 1) & (_SLOTS - 1)


@compiled
def _number(text: Any, opens: int, shuts: int) -> tuple[float, int]:
    """A plain decimal number; state 0: read, 1: blank, 2: to be looked at."""
    if opens == shuts:
        return np.nan, 1
    place = opens
    minus = text[place] == 45
    if minus:
        place += 1
    whole = np.int64(0)
    digits = decimals = 0
    point = False
    while place < shuts:
        byte = text[place]
        if 48 <= byte <= 57:
            if digits >= 18:
                return 0.0, 2
            whole = whole * 10 + (byte - 48)
            if whole > 0:
                digits += 1
            if point:
                decimals += 1
        elif byte == 46 and not point and place > opens and 48 <= text[place - 1] <= 57:
            point = True
        else:
            return 0.0, 2
        place += 1
    if not 48 <= text[shuts - 1] <= 57:
        return 0.0, 2
    if decimals > 22:
        return 0.0, 2
    number = np.float64(whole) / 10.0**decimals
    if whole > 9007199254740992:
        # Beyond 53 bits the quotient may be off by its last bit: only a tie would show it.
        scaled = number * 1e7
        if abs(abs(scaled - np.floor(scaled)) - 0.5) < _TIE or abs(number) > 1000.0:
            return 0.0, 2
    return (-number if minus else number), 0


@compiled
def _digits(text: Any, place: int, count: int, shuts: int) -> int:
    if place + count > shuts:
        return -1
    number = 0
    for byte in range(place, place + count):
        if not 48 <= text[byte] <= 57:
            return -1
        number = number * 10 + (text[byte] - 48)
    return number


@compiled
def _days(year: int, month: int, day: int) -> int:
    """Days since 1970 of a day of the Gregorian calendar."""
    late = month <= 2
    shifted = year - 1 if late else year
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month + 9 if late else month - 3) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


@compiled
def _time(
    text: Any, opens: int, shuts: int, form: Any, changes: Any, offsets: Any, known: Any
) -> tuple[int, bool]:
    year, month, day, hour, minute, second, micro, ahead_s = 1970, 1, 1, 0, 0, 0, 0, 0
    zoned = False
    place = opens
    for step in range(form.shape[0]):
        part = form[step]
        if part < 1000:
            if place >= shuts or text[place] != part:
                return 0, False
            if part == 90:  # Z
                zoned = True
            place += 1
        elif part == 1000:
            year = _digits(text, place, 4, shuts)
            place += 4
            if year < 1970:
                return 0, False
        elif part <= 1005:
            number = _digits(text, place, 2, shuts)
            place += 2
            if number < 0:
                return 0, False
            if part == 1001:
                month = number
            elif part == 1002:
                day = number
            elif part == 1003:
                hour = number
            elif part == 1004:
                minute = number
            else:
                second = number
        elif part == 1006:
            if place >= shuts or text[place] != 46:
                return 0, False
            place += 1
            count = 0
            while place < shuts and 48 <= text[place] <= 57:
                micro = micro * 10 + (text[place] - 48)
                place += 1
                count += 1
            if count < 1 or count > 6:
                return 0, False
            while count < 6:
                micro *= 10
                count += 1
        elif part == 1007:
            if place + 5 > shuts or (text[place] != 43 and text[place] != 45):
                return 0, False
            hours = _digits(text, place + 1, 2, shuts)
            colon = text[place + 3] == 58
            minutes = _digits(text, place + 4 if colon else place + 3, 2, shuts)
            if hours < 0 or minutes < 0 or hours > 14 or minutes > 59:
                return 0, False
            ahead_s = (hours * 60 + minutes) * 60
            if text[place] == 45:
                ahead_s = -ahead_s
            place += 6 if colon else 5
            zoned = True
        else:
            count = shuts - place
            if count < 9 or count > 15:
                return 0, False
            number = _digits(text, place, count, shuts)
            if number < 0:
                return 0, False
            step_us = 1_000_000 if part == 1008 else 1_000
            if number * step_us >= 9007199254740992:
                return 0, False
            return number * step_us, True
    if place != shuts or month < 1 or month > 12 or day < 1 or hour > 23 or minute > 59:
        return 0, False
    if second > 59 or day > 31:
        return 0, False
    if day > 28:
        following = _days(year + 1, 1, 1) if month == 12 else _days(year, month + 1, 1)
        if day > following - _days(year, month, 1):
            return 0, False
    seconds = _days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second
    if zoned:
        return (seconds - ahead_s) * 1_000_000 + micro, True
    at = known[0]
    if not changes[at] <= seconds < changes[at + 1]:
        at = np.searchsorted(changes, seconds, side="right") - 1
        if at < 0 or at + 1 >= changes.shape[0]:
            return 0, False
        known[0] = at
    # Within a day of a change of clocks an hour may be missing or come twice.
    if seconds - changes[at] < 86400 or changes[at + 1] - seconds < 86400:
        return 0, False
    return (seconds - offsets[at]) * 1_000_000 + micro, True
