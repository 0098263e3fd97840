"""Positions to intervals inside hot spots in one pass, whatever their order.

Machine code: imported only where it is used.
"""
# mypy: ignore-errors

import numba
import numpy as np

from placeproof.patrols.compiled import compiled
from placeproof.patrols.outline_raster import (
    CHUNK,
    I32,
    I64,
    LOOKUP,
    RASTER,
    hits,
    near_cells,
)

BUCKET_S = 1024
"""Length of the pieces of time of which the cadence sketch keeps whole seconds."""
WORDS = BUCKET_S // 64
BUCKETS_KEPT = 16
"""Pieces of time kept for each device."""
KEY, FIRST, LAST, BUCKET, SAMPLE, DEVICE, SAMPLE_KEY = range(7)
FIELDS = 8
"""An open interval, one line of the processor's cache: whose, from, to, the piece of time it is in
with its place in the sketch, and the device's row there."""
EMPTY = -1
CODE, KEPT, HIGHEST, PIECES = range(4)
"""A device's row of the sketch: its code, how many pieces of time, the highest of their numbers,
and their keys."""
CLOSED, DEVICES, SLOT = range(3)
"""How far a state is filled: closed intervals, known devices, and the interval seen last."""
_OPEN_BITS = 13
_PROBES = 4
_WORDS_2 = numba.types.Array(numba.uint64, 2, "C", readonly=True)


@compiled()
def mixed(key):
    """A number that looks random and is different for every key: the same on every machine."""
    z = np.uint64(key) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled()
def place_of(table, bits, key):
    """Where in a table of 2**bits rows a key is, or the empty row where it belongs."""
    row = scattered(key, bits)
    while table[row, KEY] != key and table[row, KEY] != EMPTY:
        row = (row + 1) & ((1 << bits) - 1)
    return row


@compiled()
def open_place(table, key):
    """Where among the open intervals a pair is, or the row that it takes over.

    The table never grows: when all near rows are taken, the interval seen longest ago gives way
    and is closed, which merging mends. So memory and speed do not depend on how many pairs exist.
    """
    home = scattered(key, _OPEN_BITS)
    place = home
    for n in range(_PROBES):
        row = (home + n) & ((1 << _OPEN_BITS) - 1)
        if table[row, KEY] == key or table[row, KEY] == EMPTY:
            return row
        if table[row, LAST] < table[place, LAST]:
            place = row
    return place


@compiled()
def scattered(key, bits):
    """A row below 2**bits that looks random."""
    return np.int64((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - bits))


@compiled()
def empty_table(bits, fields):
    """A table of 2**bits rows without a key."""
    table = np.zeros((1 << bits, fields), np.int64)
    table[:, KEY] = EMPTY
    return table


@compiled()
def larger(table, bits):
    """The same rows in a table of 2**bits."""
    grown = empty_table(bits, table.shape[1])
    for row in range(len(table)):
        if table[row, KEY] != EMPTY:
            grown[place_of(grown, bits, table[row, KEY])] = table[row]
    return grown


@compiled()
def sampled(piece, row, words):
    """Where a device keeps a piece of time in its row; -1: it has enough of lower number."""
    number = mixed(piece)
    if row[KEPT] == BUCKETS_KEPT and number > np.uint64(row[HIGHEST]):
        return np.int64(-1)
    place = row[KEPT]
    for j in range(row[KEPT]):
        if row[PIECES + j] == piece:
            return np.int64(j)
        if row[KEPT] == BUCKETS_KEPT and mixed(row[PIECES + j]) == np.uint64(row[HIGHEST]):
            place = np.int64(j)
    if row[KEPT] < BUCKETS_KEPT:
        row[KEPT] += 1
    words[place * WORDS : (place + 1) * WORDS] = np.uint64(0)
    row[PIECES + place] = piece
    highest = np.uint64(0)
    for j in range(row[KEPT]):
        highest = max(highest, mixed(row[PIECES + j]))
    row[HIGHEST] = np.int64(highest)
    return place


@compiled()
def longer(rows):
    """Twice as many rows, the first half copied."""
    grown = np.zeros((2 * rows.shape[0], rows.shape[1]), rows.dtype)
    grown[: rows.shape[0]] = rows
    return grown


def opened():
    """What `gathered` remembers from batch to batch: open intervals, devices, closed intervals, the
    cadence sketch, room to work in, and how far each is filled."""
    return (
        empty_table(_OPEN_BITS, FIELDS),
        empty_table(8, 2),
        np.empty((1024, 3), np.int64),
        np.zeros((64, PIECES + BUCKETS_KEPT), np.int64),
        np.zeros((64, BUCKETS_KEPT * WORDS), np.uint64),
        np.empty((4, CHUNK), np.int32),
        np.empty((2, 2 * CHUNK), np.int64),
        np.zeros(3, np.int64),
    )


_STATE = numba.types.Tuple(
    (
        *(numba.int64[:, ::1],) * 4,
        *(numba.uint64[:, ::1], numba.int32[:, ::1], numba.int64[:, ::1], numba.int64[::1]),
    )
)


@compiled(_STATE(I32, I64, I32, I32, RASTER, LOOKUP, numba.int64, numba.int64, _STATE))
def gathered(device, at, longitude, latitude, raster, lookup, longest_gap, ticks_per_second, state):
    """
    Join the positions of one device in one hot spot wherever silence is short enough.

    Each chunk of positions goes through short loops, each of which hands few rows to the next, so
    that the processor guesses and waits little: block, cell, outline, interval.

    Returns the state with closed intervals (pair, first, last), the table of open ones, and the
    cadence sketch: for each device its row, and a bit for each second of its pieces with a position
    inside. Its last part says how many intervals are closed and how many devices are known.
    """
    table, known, out, sketch, words, scratch, hit, filling = state
    closed, devices, slot = filling[CLOSED], filling[DEVICES], filling[SLOT]
    bits = np.int64(0)
    while 1 << bits < len(known):
        bits += 1
    bucket_ticks = BUCKET_S * ticks_per_second
    filled, touched = scratch[:2], scratch[2:]
    for begin in range(0, len(device), CHUNK):
        size = min(CHUNK, len(device) - begin)
        whole, partly = near_cells(longitude, latitude, begin, size, raster, filled, touched)
        j, k = np.int64(-1), np.int64(0)
        while j < partly:
            found, j, k = hits(
                *(j, k, begin, whole, partly, filled, touched, hit),
                *(at, longitude, latitude, lookup),
            )
            for h in range(found):
                i, hotspot = hit[0, h], hit[1, h]
                t = at[i]
                key = (np.int64(device[i]) << 32) | hotspot
                if table[slot, KEY] != key:  # neighbours are mostly of one device in one place
                    slot = open_place(table, key)
                fresh = table[slot, KEY] != key
                if (
                    fresh
                    or t > table[slot, LAST] + longest_gap
                    or t < table[slot, FIRST] - longest_gap
                ):
                    if table[slot, KEY] != EMPTY:
                        if closed == len(out):
                            out = longer(out)
                        out[closed, 0] = table[slot, KEY]
                        out[closed, 1] = table[slot, FIRST]
                        out[closed, 2] = table[slot, LAST]
                        closed += 1
                    if fresh:
                        whose = place_of(known, bits, np.int64(device[i]))
                        if known[whose, KEY] == EMPTY:
                            if 2 * devices >= len(known):
                                bits += 1
                                known = larger(known, bits)
                                whose = place_of(known, bits, np.int64(device[i]))
                            if devices == len(sketch):
                                sketch, words = longer(sketch), longer(words)
                            known[whose, KEY] = device[i]
                            known[whose, 1] = devices
                            sketch[devices, CODE] = device[i]
                            devices += 1
                        table[slot, KEY] = key
                        table[slot, BUCKET] = t + bucket_ticks  # not the piece of time of t
                        table[slot, DEVICE] = known[whose, 1]
                    table[slot, FIRST] = t
                    table[slot, LAST] = t
                else:
                    table[slot, LAST] = max(t, table[slot, LAST])
                    table[slot, FIRST] = min(t, table[slot, FIRST])
                within, who = t - table[slot, BUCKET], table[slot, DEVICE]
                if within < 0 or within >= bucket_ticks:
                    bucket = t // bucket_ticks
                    within = t - bucket * bucket_ticks
                    table[slot, BUCKET] = bucket * bucket_ticks
                    piece = (hotspot << 40) ^ (bucket & ((1 << 40) - 1))
                    table[slot, SAMPLE_KEY] = piece
                    table[slot, SAMPLE] = sampled(piece, sketch[who], words[who])
                sample = table[slot, SAMPLE]
                if sample >= 0 and sketch[who, PIECES + sample] == table[slot, SAMPLE_KEY]:
                    second = within // ticks_per_second
                    words[who, sample * WORDS + (second >> 6)] |= np.uint64(1) << np.uint64(
                        second & 63
                    )
    filling[CLOSED], filling[DEVICES], filling[SLOT] = closed, devices, slot
    return table, known, out, sketch, words, scratch, hit, filling


@compiled(numba.types.Tuple((numba.int64[::1], numba.int64[::1], numba.int64[::1]))(I64))
def numbered(key):
    """Number the different keys in the order in which they come: keys, counts, number of each."""
    bits, used = 10, 0
    table = empty_table(bits, 3)
    of = np.empty(len(key), np.int64)
    for i in range(len(key)):
        slot = place_of(table, bits, key[i])
        if table[slot, KEY] == EMPTY:
            if 2 * (used + 1) > 1 << bits:
                bits += 1
                table = larger(table, bits)
                slot = place_of(table, bits, key[i])
            table[slot, KEY] = key[i]
            table[slot, FIRST] = used
            used += 1
        table[slot, LAST] += 1
        of[i] = table[slot, FIRST]
    keys, counts = np.empty(used, np.int64), np.empty(used, np.int64)
    for slot in range(len(table)):
        if table[slot, KEY] != EMPTY:
            keys[table[slot, FIRST]] = table[slot, KEY]
            counts[table[slot, FIRST]] = table[slot, LAST]
    return keys, counts, of


@compiled()
def put_in_order(first, last, begin, end):
    """Sort intervals by their first moment where they stand (Shell's way: short, no memory)."""
    gap = 1
    while gap < (end - begin) // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(begin + gap, end):
            one, other = first[i], last[i]
            j = i
            while j >= begin + gap and first[j - gap] > one:
                first[j], last[j] = first[j - gap], last[j - gap]
                j -= gap
            first[j], last[j] = one, other
        gap //= 3


@compiled(
    numba.types.Tuple((numba.int64[::1], numba.int64[::1], numba.int64[::1]))(
        I64, I64, I64, I64, I64, numba.int64
    )
)
def linked(keys, start, of, all_first, all_last, longest_gap):
    """
    Join intervals of one pair that are near enough; sorted by pair and time.

    `keys` are the pairs in order, `start` where the intervals of each begin once they stand
    together, and `of` says which place among them each interval's pair has.
    """
    first, last = np.empty_like(all_first), np.empty_like(all_last)
    filled = start.copy()
    for i in range(len(of)):
        place = filled[of[i]]
        filled[of[i]] += 1
        first[place], last[place] = all_first[i], all_last[i]
    out_key = np.empty_like(first)
    n = -1
    for k in range(len(keys)):
        begin, end = start[k], start[k + 1]
        put_in_order(first, last, begin, end)
        for i in range(begin, end):
            # What is joined is written over what was read before it.
            if i > begin and first[i] <= last[n] + longest_gap:
                last[n] = max(last[n], last[i])
            else:
                n += 1
                out_key[n], first[n], last[n] = keys[k], first[i], last[i]
    n += 1
    return out_key[:n].copy(), first[:n].copy(), last[:n].copy()


@compiled(numba.uint64[::1](I64))
def mixed_all(keys):
    """`mixed` of each key."""
    numbers = np.empty(len(keys), np.uint64)
    for i in range(len(keys)):
        numbers[i] = mixed(keys[i])
    return numbers


@compiled(
    numba.types.Tuple((numba.int32[::1], numba.int64[::1], numba.uint64[:, ::1]))(
        I64, I32, I64, _WORDS_2
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


@compiled(numba.types.Tuple((numba.int32[::1], numba.int64[:, ::1]))(I32, _WORDS_2, numba.int64))
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
