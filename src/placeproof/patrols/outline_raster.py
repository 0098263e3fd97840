"""Exact membership in outlines of integer coordinates, and the raster that makes it fast.

Machine code: imported only where it is used.
"""
# mypy: ignore-errors

import numba
import numpy as np

from placeproof.patrols.compiled import compiled

I32 = numba.types.Array(numba.int32, 1, "C", readonly=True)
I64 = numba.types.Array(numba.int64, 1, "C", readonly=True)
U32 = numba.types.Array(numba.uint32, 1, "C", readonly=True)
I32_2 = numba.types.Array(numba.int32, 2, "C", readonly=True)
I64_2 = numba.types.Array(numba.int64, 2, "C", readonly=True)
RASTER = numba.types.Tuple((*(numba.int64,) * 6, I32, U32, I32))
LOOKUP = numba.types.Tuple((I32, I32, I32_2, I32_2, I64_2))
CHUNK = 4096


@compiled()
def covers(x, y, edges, first, last):
    """Whether a point is inside or on the edges `first` to `last`, each (x1, y1, x2, y2), y1 ≤ y2.

    All in whole numbers: two products below 2**63 are compared, never subtracted, so that there is
    no rounding and, where the point is beside an edge, no overflow. No branches: where pings lie
    is nothing that a processor can guess.
    """
    odd, on = False, False
    for e in range(first, last):
        x1, y1 = np.int64(edges[e, 0]), np.int64(edges[e, 1])
        x2, y2 = np.int64(edges[e, 2]), np.int64(edges[e, 3])
        here = (x - x1) * (y2 - y1)
        edge = (x2 - x1) * (y - y1)
        beside = (y >= y1) & (y <= y2)
        on |= beside & (here == edge) & (x >= min(x1, x2)) & (x <= max(x1, x2))
        odd ^= beside & (y != y2) & (here < edge)
    return odd | on


@compiled(
    numba.types.Tuple(
        (
            *(numba.int64[::1], numba.int32[::1]),
            *(numba.int32[:, ::1], numba.int32[:, ::1]),
        )
    )(I32_2, I64, *(numba.int64,) * 5)
)
def rasterise(edges, edge_start, west, south, shift_x, shift_y, columns):
    """
    Find the cells that an outline touches (boundary) and those it fills (whole).

    Cells are conservative: every point of a whole cell is inside and no point of a cell without
    an entry is. A boundary cell refers to the edges that pass its row of cells.

    Returns cell keys (block × 256 + place in the block), codes (an outline, or outlines + row
    list), the row lists (first edge, one past the last edge, outline, 0), and the edges row by row.
    """
    outlines = len(edge_start) - 1
    rows, row_edges = 0, 0
    for v in range(outlines):
        if edge_start[v] == edge_start[v + 1]:
            continue
        low, high = np.int64(2**40), -np.int64(2**40)
        for e in range(edge_start[v], edge_start[v + 1]):
            bottom = (np.int64(edges[e, 1]) - south) >> shift_y
            top = (np.int64(edges[e, 3]) - south) >> shift_y
            low, high = min(low, bottom), max(high, top)
            row_edges += top - bottom + 1
        rows += high - low + 1
    row_start = np.zeros(rows + 1, np.int64)
    row_lists = np.zeros((rows, 4), np.int32)
    by_row = np.empty((row_edges, 4), np.int32)
    keys = np.empty(1024, np.int64)
    codes = np.empty(1024, np.int32)
    found = 0
    row_base = 0
    for v in range(outlines):
        e0, e1 = edge_start[v], edge_start[v + 1]
        if e0 == e1:
            continue
        low_x, high_x = np.int64(2**40), -np.int64(2**40)
        low_y, high_y = np.int64(2**40), -np.int64(2**40)
        for e in range(e0, e1):
            low_x = min(low_x, edges[e, 0], edges[e, 2])
            high_x = max(high_x, edges[e, 0], edges[e, 2])
            low_y = min(low_y, edges[e, 1])
            high_y = max(high_y, edges[e, 3])
        c0, c1 = (low_x - west) >> shift_x, (high_x - west) >> shift_x
        r0, r1 = (low_y - south) >> shift_y, (high_y - south) >> shift_y
        touched = np.zeros((r1 - r0 + 1, c1 - c0 + 1), np.uint8)
        # How many edges pass each row, then where each row's list begins.
        for e in range(e0, e1):
            bottom = ((np.int64(edges[e, 1]) - south) >> shift_y) - r0
            top = ((np.int64(edges[e, 3]) - south) >> shift_y) - r0
            for r in range(bottom, top + 1):
                row_start[row_base + r + 1] += 1
        for r in range(r1 - r0 + 1):
            row_start[row_base + r + 1] += row_start[row_base + r]
            row_lists[row_base + r, 0] = row_start[row_base + r]
            row_lists[row_base + r, 1] = row_start[row_base + r + 1]
            row_lists[row_base + r, 2] = v
        filled = np.zeros(r1 - r0 + 1, np.int64)
        for e in range(e0, e1):
            x1, y1 = np.int64(edges[e, 0]), np.int64(edges[e, 1])
            x2, y2 = np.int64(edges[e, 2]), np.int64(edges[e, 3])
            bottom, top = (y1 - south) >> shift_y, (y2 - south) >> shift_y
            for r in range(bottom, top + 1):
                place = row_start[row_base + r - r0] + filled[r - r0]
                filled[r - r0] += 1
                by_row[place] = edges[e]
                lower = max(y1, south + (r << shift_y))
                upper = min(y2, south + ((r + 1) << shift_y) - 1)
                if y1 == y2:
                    a, b = min(x1, x2), max(x1, x2)
                else:
                    at_lower = x1 + (x2 - x1) * (lower - y1) // (y2 - y1)
                    at_upper = x1 + (x2 - x1) * (upper - y1) // (y2 - y1)
                    a, b = min(at_lower, at_upper), max(at_lower, at_upper) + 1
                from_c = max((a - west) >> shift_x, c0)
                to_c = min((b - west) >> shift_x, c1)
                for c in range(from_c, to_c + 1):
                    touched[r - r0, c - c0] = 1
        for r in range(r0, r1 + 1):
            known, inside = False, False
            row = row_base + r - r0
            for c in range(c0, c1 + 1):
                code = -1
                if touched[r - r0, c - c0]:
                    known = False
                    code = outlines + row
                else:
                    if not known:
                        x, y = west + (c << shift_x), south + (r << shift_y)
                        inside = covers(x, y, by_row, row_start[row], row_start[row + 1])
                        known = True
                    if inside:
                        code = v
                if code >= 0:
                    if found == len(keys):
                        more_keys = np.empty(2 * found, np.int64)
                        more_codes = np.empty(2 * found, np.int32)
                        more_keys[:found] = keys
                        more_codes[:found] = codes
                        keys, codes = more_keys, more_codes
                    block = (r >> 4) * columns + (c >> 4)
                    keys[found] = block * 256 + (r & 15) * 16 + (c & 15)
                    codes[found] = code
                    found += 1
        row_base += r1 - r0 + 1
    return keys[:found].copy(), codes[:found].copy(), row_lists, by_row


@compiled()
def near_cells(longitude, latitude, begin, size, raster, filled, touched):
    """
    Rows of a chunk whose cell one outline fills, and those whose cell is another story.

    Short loops without branches. The rows and what their cells hold go to `filled` and
    `touched`; returns how many each has.
    """
    west, south, shift_x, shift_y, columns, rows, blocks, taken, cells = raster
    west32, south32 = np.uint32(west), np.uint32(south)
    block_x, block_y = np.uint32(shift_x + 4), np.uint32(shift_y + 4)
    most_x, most_y, stride = np.uint32(columns), np.uint32(rows), np.uint32(columns + 1)
    for i in range(size):
        # Modulo 2**32: what is far outside may look inside here, never the other way round.
        x = np.uint32(np.uint32(np.uint32(longitude[begin + i]) - west32) >> block_x)
        y = np.uint32(np.uint32(np.uint32(latitude[begin + i]) - south32) >> block_y)
        touched[0, i] = np.int32(np.uint32(min(y, most_y) * stride + min(x, most_x)))
    near = 0
    for i in range(size):
        block = blocks[touched[0, i]]
        filled[0, near], filled[1, near] = i, block
        near += block != 0
    kept = 0
    for j in range(near):
        # One bit a cell first: 32 bytes a block stay in the cache where 1,024 do not.
        i = filled[0, j]
        x, y = (
            np.int64(longitude[begin + i]) - west,
            np.int64(latitude[begin + i]) - south,
        )
        cell = filled[1, j] * 256 + (((y >> shift_y) & 15) << 4) + ((x >> shift_x) & 15)
        filled[0, kept], filled[1, kept] = i, cell
        kept += ((taken[cell >> 5] >> (cell & 31)) & 1) * ((x >= 0) & (y >= 0))
    whole, partly = 0, 0
    for j in range(kept):
        i, cell = filled[0, j], cells[filled[1, j]]
        filled[0, whole], filled[1, whole] = i, cell
        whole += cell > 0
        touched[0, partly], touched[1, partly] = i, cell
        partly += cell < 0
    return whole, partly


@compiled()
def hits(j, k, begin, whole, partly, filled, touched, hit, at, longitude, latitude, lookup):
    """
    Rows inside a hot spot at a time at which its outline counts, and which hot spot.

    At most as many as `hit` has room for; returns how many, and the numbers `j` and `k` (of a
    touched cell, and within its list) to go on with.
    """
    list_start, lists, row_lists, row_edges, outlines = lookup
    room, found = hit.shape[1], 0
    if j < 0:
        for n in range(whole):
            i, outline = begin + filled[0, n], filled[1, n] - 1
            t = at[i]
            hit[0, found], hit[1, found] = i, outlines[outline, 2]
            found += (t >= outlines[outline, 0]) & (t < outlines[outline, 1])
        j = 0
    while j < partly and found < room:
        i, number = begin + touched[0, j], -1 - np.int64(touched[1, j])
        t = at[i]
        if number < len(row_lists):
            x, y = np.int64(longitude[i]), np.int64(latitude[i])
            first, last = row_lists[number, 0], row_lists[number, 1]
            outline = row_lists[number, 2]
            held = (t >= outlines[outline, 0]) & (t < outlines[outline, 1])
            hit[0, found], hit[1, found] = i, outlines[outline, 2]
            found += held & covers(x, y, row_edges, first, last)
            j += 1
            continue
        start, stop = (
            list_start[number - len(row_lists)],
            list_start[number - len(row_lists) + 1],
        )
        while k < stop - start and found < room:
            outline = np.int64(lists[start + k])
            inside = True
            if outline >= len(outlines):
                row = outline - len(outlines)
                first, last = row_lists[row, 0], row_lists[row, 1]
                outline = np.int64(row_lists[row, 2])
                x, y = np.int64(longitude[i]), np.int64(latitude[i])
                inside = covers(x, y, row_edges, first, last)
            if inside and t >= outlines[outline, 0] and t < outlines[outline, 1]:
                hit[0, found], hit[1, found] = i, outlines[outline, 2]
                found += 1
            k += 1
        if k < stop - start:
            return found, j, k
        j, k = j + 1, np.int64(0)
    return found, j, k
