"""Positions to intervals inside hot spots in one pass, whatever their order.

Machine code: imported only where it is used.
"""
# mypy: ignore-errors

import numba
import numpy as np

from placeproof.patrols.compiled import compiled
from placeproof.patrols.outline_raster import covers

BUCKET_S = 1024
"""Length of the pieces of time of which the cadence sketch keeps whole seconds."""
WORDS = BUCKET_S // 64
BUCKETS_KEPT = 16
"""Pieces of time kept for each device."""

_I32 = numba.types.Array(numba.int32, 1, "C", readonly=True)
_I64 = numba.types.Array(numba.int64, 1, "C", readonly=True)
_EDGES = numba.types.Array(numba.int32, 2, "C", readonly=True)
_KEY, _FIRST, _LAST, _BUCKET, _SAMPLE, _DEVICE, _SAMPLE_KEY = range(7)
_FIELDS = 8
_EMPTY = -1
_WORDS_2 = numba.types.Array(numba.uint64, 2, "C", readonly=True)


@compiled()
def mixed(key):
    """A number that looks random and is different for every key: the same on every machine."""
    z = np.uint64(key) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled()
def place_of(key, bits):
    """Where in a table of 2**bits places a key is looked for first."""
    return np.int64((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - bits))


@compiled()
def larger(table, bits):
    """The same open intervals in a table of 2**bits places."""
    grown = np.empty((1 << bits, _FIELDS), np.int64)
    grown[:, _KEY] = _EMPTY
    for row in range(len(table)):
        if table[row, _KEY] == _EMPTY:
            continue
        at = place_of(table[row, _KEY], bits)
        while grown[at, _KEY] != _EMPTY:
            at = (at + 1) & ((1 << bits) - 1)
        grown[at] = table[row]
    return grown


@compiled()
def sample_place(key, device, kept, keys, words):
    """Where the sketch keeps a piece of time; -1 if the device has enough of lower numbers."""
    base = device * BUCKETS_KEPT
    for j in range(base, base + kept[device]):
        if keys[j] == key:
            return j
    if kept[device] < BUCKETS_KEPT:
        place = base + kept[device]
        kept[device] += 1
        keys[place] = key
        return place
    place, highest = np.int64(-1), mixed(key)
    for j in range(base, base + BUCKETS_KEPT):
        number = mixed(keys[j])
        if number > highest:
            place, highest = j, number
    if place >= 0:
        keys[place] = key
        words[place, :] = np.uint64(0)
    return place


@compiled(
    numba.types.Tuple(
        (
            numba.int32[::1],
            numba.int32[::1],
            numba.int64[::1],
            numba.int64[::1],
            numba.int32[::1],
            numba.int64[::1],
            numba.uint64[:, ::1],
        )
    )(
        *(_I32, _I64, _I32, _I32),
        *(numba.int64,) * 6,
        *(_I32, _I32, _I32, _I32, _I64, _I32, _EDGES),
        *(_I32, _I64, _I64),
        *(numba.int64, numba.int64),
    )
)
def gathered(
    device,
    at,
    longitude,
    latitude,
    west,
    south,
    shift_x,
    shift_y,
    columns,
    rows,
    blocks,
    cells,
    list_start,
    lists,
    row_start,
    row_outline,
    row_edges,
    outline_hotspot,
    outline_from,
    outline_until,
    longest_gap,
    ticks_per_second,
):
    """
    Join the positions of one device in one hot spot wherever silence is short enough.

    Returns device, hot spot, first and last tick of each interval, and the cadence sketch: device,
    piece of time, and a bit for each second of it that has a position inside. One pair of device
    and hot spot can have several intervals that touch or overlap: merging settles it.
    """
    outlines = len(outline_hotspot)
    bits = 10
    table = np.empty((1 << bits, _FIELDS), np.int64)
    table[:, _KEY] = _EMPTY
    used = 0
    room = 1024
    out_key = np.empty(room, np.int64)
    out_first = np.empty(room, np.int64)
    out_last = np.empty(room, np.int64)
    found = 0
    number = {}
    number[np.int64(-1)] = np.int64(-1)
    devices = 0
    names = np.empty(64, np.int32)
    kept = np.zeros(64, np.int64)
    keys = np.zeros(64 * BUCKETS_KEPT, np.int64)
    words = np.zeros((64 * BUCKETS_KEPT, WORDS), np.uint64)
    bucket_ticks = BUCKET_S * ticks_per_second
    for i in range(len(device)):
        x = np.int64(longitude[i]) - west
        y = np.int64(latitude[i]) - south
        if x < 0 or y < 0:
            continue
        column, row = x >> (shift_x + 4), y >> (shift_y + 4)
        if column >= columns or row >= rows:
            continue
        block = blocks[row * (columns + 1) + column]
        if block == 0:
            continue
        cell = cells[block * 256 + (((y >> shift_y) & 15) << 4) + ((x >> shift_x) & 15)]
        if cell == 0:
            continue
        t = at[i]
        if cell > 0:
            start, stop = np.int64(0), np.int64(1)
        else:
            start, stop = np.int64(list_start[-cell - 1]), np.int64(list_start[-cell])
        for entry in range(start, stop):
            outline = np.int64(cell - 1 if cell > 0 else lists[entry])
            if outline >= outlines:
                line = outline - outlines
                if not covers(
                    np.int64(longitude[i]),
                    np.int64(latitude[i]),
                    row_edges,
                    row_start[line],
                    row_start[line + 1],
                ):
                    continue
                outline = np.int64(row_outline[line])
            if t < outline_from[outline] or t >= outline_until[outline]:
                continue
            hotspot = np.int64(outline_hotspot[outline])
            key = (np.int64(device[i]) << 32) | hotspot
            slot = place_of(key, bits)
            while table[slot, _KEY] != key and table[slot, _KEY] != _EMPTY:
                slot = (slot + 1) & ((1 << bits) - 1)
            if table[slot, _KEY] == _EMPTY:
                own = np.int64(device[i])
                if own not in number:
                    if devices == len(names):
                        names = np.concatenate((names, np.empty_like(names)))
                        kept = np.concatenate((kept, np.zeros_like(kept)))
                        keys = np.concatenate((keys, np.zeros_like(keys)))
                        words = np.concatenate((words, np.zeros_like(words)))
                    names[devices] = device[i]
                    number[own] = devices
                    devices += 1
                used += 1
                if 2 * used > (1 << bits):
                    bits += 1
                    table = larger(table, bits)
                    slot = place_of(key, bits)
                    while table[slot, _KEY] != _EMPTY:
                        slot = (slot + 1) & ((1 << bits) - 1)
                table[slot, _KEY] = key
                table[slot, _FIRST] = t
                table[slot, _LAST] = t
                table[slot, _BUCKET] = t + bucket_ticks  # not the piece of time of t
                table[slot, _DEVICE] = number[own]
            elif t > table[slot, _LAST] + longest_gap or t < table[slot, _FIRST] - longest_gap:
                if found == room:
                    room *= 2
                    out_key = np.concatenate((out_key, np.empty_like(out_key)))
                    out_first = np.concatenate((out_first, np.empty_like(out_first)))
                    out_last = np.concatenate((out_last, np.empty_like(out_last)))
                out_key[found] = key
                out_first[found] = table[slot, _FIRST]
                out_last[found] = table[slot, _LAST]
                found += 1
                table[slot, _FIRST] = t
                table[slot, _LAST] = t
            elif t > table[slot, _LAST]:
                table[slot, _LAST] = t
            elif t < table[slot, _FIRST]:
                table[slot, _FIRST] = t
            within = t - table[slot, _BUCKET]
            if within < 0 or within >= bucket_ticks:
                bucket = t // bucket_ticks
                within = t - bucket * bucket_ticks
                table[slot, _BUCKET] = bucket * bucket_ticks
                sample_key = (hotspot << 40) ^ (bucket & ((1 << 40) - 1))
                table[slot, _SAMPLE_KEY] = sample_key
                table[slot, _SAMPLE] = sample_place(
                    sample_key, table[slot, _DEVICE], kept, keys, words
                )
            sample = table[slot, _SAMPLE]
            if sample >= 0 and keys[sample] == table[slot, _SAMPLE_KEY]:
                second = within // ticks_per_second
                words[sample, second >> 6] |= np.uint64(1) << np.uint64(second & 63)
    total = found + used
    result_device = np.empty(total, np.int32)
    result_hotspot = np.empty(total, np.int32)
    result_first = np.empty(total, np.int64)
    result_last = np.empty(total, np.int64)
    for i in range(found):
        result_device[i] = out_key[i] >> 32
        result_hotspot[i] = out_key[i] & 0xFFFFFFFF
        result_first[i] = out_first[i]
        result_last[i] = out_last[i]
    i = found
    for slot in range(len(table)):
        if table[slot, _KEY] != _EMPTY:
            result_device[i] = table[slot, _KEY] >> 32
            result_hotspot[i] = table[slot, _KEY] & 0xFFFFFFFF
            result_first[i] = table[slot, _FIRST]
            result_last[i] = table[slot, _LAST]
            i += 1
    samples = 0
    for d in range(devices):
        samples += kept[d]
    sample_device = np.empty(samples, np.int32)
    sample_key = np.empty(samples, np.int64)
    sample_words = np.empty((samples, WORDS), np.uint64)
    i = 0
    for d in range(devices):
        for j in range(d * BUCKETS_KEPT, d * BUCKETS_KEPT + kept[d]):
            sample_device[i] = names[d]
            sample_key[i] = keys[j]
            sample_words[i] = words[j]
            i += 1
    return (
        result_device,
        result_hotspot,
        result_first,
        result_last,
        sample_device,
        sample_key,
        sample_words,
    )


@compiled(
    numba.types.Tuple((numba.int32[::1], numba.int32[::1], numba.int64[::1], numba.int64[::1]))(
        _I64, _I32, _I32, _I64, _I64, numba.int64
    )
)
def linked(order, device, hotspot, first, last, longest_gap):
    """Join intervals of one pair that are near enough; `order` sorts by device, hot spot, first."""
    out_device = np.empty(len(order), np.int32)
    out_hotspot = np.empty(len(order), np.int32)
    out_first = np.empty(len(order), np.int64)
    out_last = np.empty(len(order), np.int64)
    n = -1
    for i in order:
        if (
            n >= 0
            and device[i] == out_device[n]
            and hotspot[i] == out_hotspot[n]
            and first[i] <= out_last[n] + longest_gap
        ):
            out_last[n] = max(out_last[n], last[i])
        else:
            n += 1
            out_device[n] = device[i]
            out_hotspot[n] = hotspot[i]
            out_first[n] = first[i]
            out_last[n] = last[i]
    n += 1
    return out_device[:n].copy(), out_hotspot[:n].copy(), out_first[:n].copy(), out_last[:n].copy()


@compiled(numba.uint64[::1](_I64))
def mixed_all(keys):
    """`mixed` of each key."""
    numbers = np.empty(len(keys), np.uint64)
    for i in range(len(keys)):
        numbers[i] = mixed(keys[i])
    return numbers


@compiled(
    numba.types.Tuple((numba.int32[::1], numba.int64[::1], numba.uint64[:, ::1]))(
        _I64, _I32, _I64, _WORDS_2
    )
)
def sketched(order, device, keys, words):
    """Unite sketches: for each device the pieces of time of lowest number, with all their seconds.

    `order` sorts by device and number.
    """
    out_device = np.empty(len(order), np.int32)
    out_key = np.empty(len(order), np.int64)
    out_words = np.empty((len(order), WORDS), np.uint64)
    n, of_device = -1, 0
    for i in order:
        if n >= 0 and device[i] == out_device[n]:
            if keys[i] == out_key[n]:
                out_words[n] |= words[i]
                continue
            if of_device == BUCKETS_KEPT:
                continue
            of_device += 1
        else:
            of_device = 1
        n += 1
        out_device[n] = device[i]
        out_key[n] = keys[i]
        out_words[n] = words[i]
    n += 1
    return out_device[:n].copy(), out_key[:n].copy(), out_words[:n].copy()


@compiled(numba.types.Tuple((numba.int32[::1], numba.int64[:, ::1]))(_I32, _WORDS_2, numba.int64))
def gaps(device, words, longest):
    """How often each number of seconds lies between neighbours, for each device of a sketch.

    Returns the devices and a table of counts: a row for each device, a column for each number of
    seconds up to `longest` (or what a piece of time can hold).
    """
    width = min(longest, BUCKET_S - 1) + 1
    names = np.empty(len(device), np.int32)
    counts = np.zeros((len(device), width), np.int64)
    n = -1
    for i in range(len(device)):
        if n < 0 or device[i] != names[n]:
            n += 1
            names[n] = device[i]
        previous = -1
        for second in range(BUCKET_S):
            if (words[i, second >> 6] >> np.uint64(second & 63)) & np.uint64(1):
                if previous >= 0 and second - previous < width:
                    counts[n, second - previous] += 1
                previous = second
    n += 1
    return names[:n].copy(), counts[:n].copy()
