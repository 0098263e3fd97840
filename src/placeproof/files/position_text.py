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
_TENS = np.array([10.0**power for power in range(19)])  # each of them is exact


def compiled(function: Callable[..., Any]) -> Any:
    """
    Compile a function that holds no lock; the machine code is kept where it can be written.

    Parameters
    ----------
    function : callable
        Of numbers and arrays.
    """
    try:
        return njit(nogil=True, cache=True, error_model="numpy")(function)
    except (OSError, RuntimeError):
        return njit(nogil=True, error_model="numpy")(function)


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
    text = text if text.endswith(b"\n") else text + b"\n"
    buffer = np.frombuffer(text, dtype=np.uint8)
    most = text.count(b"\n")
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
    """Each byte is looked at once, and the text ends with a line end, so no end is asked for."""
    width = roles.shape[0]
    slots = np.full(_SLOTS, -1, np.int32)
    value = np.empty(4, np.float64)
    known = np.zeros(3, np.int64)  # the last change of clocks, the last day, and its number
    rows = aside = lines = devices = start = 0
    while start < text.shape[0]:
        good, code, moment, field = True, -1, 0, 0
        value[2] = value[3] = np.nan
        below_accuracy = below_speed = 0
        place = start
        while good:
            role = roles[field]
            quoted = text[place] == 34
            place += quoted
            if role == 1:
                code, place = _code(text, place, mark, slots, first, devices)
                good = code >= 0
                devices += code == devices
            elif role == 2:
                moment, place, good = _time(text, place, form, changes, offsets, known)
            elif role >= 3:
                number, place, state = _number(text, place)
                if role <= 4:
                    good = state == 0
                    value[role - 3] = number
                elif state == 0 and number >= 0.0:
                    value[role - 3] = number
                elif state == 0:
                    below_accuracy += role == 5
                    below_speed += role == 6
                else:
                    good = state == 1
            else:
                while text[place] != mark and text[place] > 34:
                    place += 1
                while text[place] != mark and text[place] != 10 and text[place] != 34:
                    place += 1
                if text[place] == 10 and text[place - 1] == 13 and place > start:
                    place -= 1
            if quoted:
                good = good and text[place] == 34
                place += text[place] == 34
            field += 1
            if not good or text[place] != mark:
                break
            good = field < width
            place += 1
        if good and field == width and text[place] == 13 and text[place + 1] == 10:
            place += 1
        good = good and field == width and text[place] == 10 and place > start
        while text[place] != 10:
            place += 1
        if good:
            x, y = value[0], value[1]
            good = moment < before_us and bounds[0] <= x <= bounds[1]
            good = good and bounds[2] <= y <= bounds[3]
            # 0, 0 lies in the sea, and nothing of Great Britain near the origin of the grid.
            if bounds[4] > 0.0:
                good = good and (x > bounds[4] or y > bounds[4])
            else:
                good = good and not (x == 0.0 and y == 0.0)
        if good:
            line[rows], device[rows], at[rows] = lines, code, moment
            for which in range(4):
                numbers[which, rows] = value[which]
            negative[0] += below_accuracy
            negative[1] += below_speed
            rows += 1
        else:
            left[aside, 0], left[aside, 1], left[aside, 2] = lines, start, place
            aside += 1
        lines += 1
        start = place + 1
    return rows, aside, lines, devices


@compiled
def _code(
    text: Any, place: int, mark: int, slots: Any, first: Any, devices: int
) -> tuple[int, int]:
    """Number of a device in this piece: the next free one if it is new, -1 if it is not plain."""
    opens = place
    hashed = np.uint64(14695981039346656037)
    plain = text[place] > 32
    while text[place] != mark and text[place] >= 32 and text[place] != 34:
        plain = plain and text[place] < 128  # beyond ASCII there are more blanks
        hashed = (hashed ^ np.uint64(text[place])) * np.uint64(1099511628211)
        place += 1
    if not plain or place == opens or text[place - 1] <= 32:
        return -1, place
    slot = np.int64((hashed ^ (hashed >> np.uint64(29))) & np.uint64(_SLOTS - 1))
    length = place - opens
    while True:
        code = slots[slot]
        if code < 0:
            if devices >= _MOST_DEVICES:
                return -1, place
            slots[slot] = devices
            first[devices, 0] = opens
            first[devices, 1] = place
            return devices, place
        if first[code, 1] - first[code, 0] == length:
            begins = first[code, 0]
            step = 0
            while step < length and text[begins + step] == text[opens + step]:
                step += 1
            if step == length:
                return code, place
        slot = (slot + 1) & (_SLOTS - 1)


@compiled
def _number(text: Any, place: int) -> tuple[float, int, int]:
    """A plain decimal number and where it ends; state 0: read, 1: blank, 2: to be looked at."""
    minus = text[place] == 45
    opens = place + minus
    place = opens
    whole = np.int64(0)
    while 48 <= text[place] <= 57:
        whole = whole * 10 + (text[place] - 48)
        place += 1
    length, decimals = place - opens, 0
    if text[place] == 46:
        begins = place + 1
        place = begins
        while 48 <= text[place] <= 57:
            whole = whole * 10 + (text[place] - 48)
            place += 1
        decimals = place - begins
        if decimals == 0 or length == 0:
            return 0.0, place, 2
    elif length == 0:
        return np.nan, place, 2 if minus else 1
    if length + decimals > 18:
        return 0.0, place, 2
    number = np.float64(whole) / _TENS[decimals]
    if whole > 9007199254740992:
        # Beyond 53 bits the quotient may be off by its last bit: only a tie would show it.
        scaled = number * 1e7
        if abs(abs(scaled - np.floor(scaled)) - 0.5) < _TIE or number > 1000.0:
            return 0.0, place, 2
    return (-number if minus else number), place, 0


@compiled
def _digits(text: Any, place: int, count: int) -> int:
    number = 0
    for byte in range(place, place + count):
        if not 48 <= text[byte] <= 57:
            return -1  # a line end is no digit, so this never runs beyond the text
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
    text: Any, place: int, form: Any, changes: Any, offsets: Any, known: Any
) -> tuple[int, int, bool]:
    """Microseconds since 1970, where the text of the time ends, and whether it could be read."""
    year, month, day, hour, minute, second, micro, ahead_s = 1970, 1, 1, 0, 0, 0, 0, 0
    zoned = False
    for step in range(form.shape[0]):
        part = form[step]
        if part < 1000:
            if text[place] != part:
                return 0, place, False
            zoned = zoned or part == 90  # Z
            place += 1
        elif part == 1000:
            year = _digits(text, place, 4)
            if year < 1970:
                return 0, place, False
            place += 4
        elif part <= 1005:
            number = _digits(text, place, 2)
            if number < 0:
                return 0, place, False
            place += 2
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
            if text[place] != 46:
                return 0, place, False
            begins = place + 1
            place = begins
            while 48 <= text[place] <= 57 and place - begins < 7:
                micro = micro * 10 + (text[place] - 48)
                place += 1
            if place == begins or place - begins > 6:
                return 0, place, False
            for _ in range(6 - (place - begins)):
                micro *= 10
        elif part == 1007:
            if text[place] != 43 and text[place] != 45:
                return 0, place, False
            hours = _digits(text, place + 1, 2)
            if hours < 0 or hours > 14:
                return 0, place, False
            colon = text[place + 3] == 58
            minutes = _digits(text, place + 3 + colon, 2)
            if minutes < 0 or minutes > 59:
                return 0, place, False
            ahead_s = (hours * 60 + minutes) * (60 if text[place] == 43 else -60)
            place += 5 + colon
            zoned = True
        else:
            begins = place
            number = 0
            while 48 <= text[place] <= 57 and place - begins < 16:
                number = number * 10 + (text[place] - 48)
                place += 1
            step_us = 1_000_000 if part == 1008 else 1_000
            plain = 9 <= place - begins <= 15 and number * step_us < 9007199254740992
            return number * step_us, place, plain
    if hour > 23 or minute > 59 or second > 59:
        return 0, place, False
    date = year * 10_000 + month * 100 + day
    if date != known[1]:  # most rows are of the day of the row before
        if month < 1 or month > 12 or day < 1 or day > 31:
            return 0, place, False
        number = _days(year, month, day)
        if day > 28:
            following = _days(year + 1, 1, 1) if month == 12 else _days(year, month + 1, 1)
            if number >= following:
                return 0, place, False
        known[1], known[2] = date, number
    seconds = known[2] * 86400 + hour * 3600 + minute * 60 + second
    if zoned:
        return (seconds - ahead_s) * 1_000_000 + micro, place, True
    last = known[0]
    if not changes[last] <= seconds < changes[last + 1]:
        last = np.searchsorted(changes, seconds, side="right") - 1
        if last < 0 or last + 1 >= changes.shape[0]:
            return 0, place, False
        known[0] = last
    # Within a day of a change of clocks an hour may be missing or come twice.
    if seconds - changes[last] < 86400 or changes[last + 1] - seconds < 86400:
        return 0, place, False
    return (seconds - offsets[last]) * 1_000_000 + micro, place, True
