"""Exact membership in outlines of integer coordinates, and the raster that makes it fast.

Machine code: imported only where it is used.
"""
# mypy: ignore-errors

import numba
import numpy as np

from placeproof.patrols.compiled import compiled

_I32 = numba.types.Array(numba.int32, 1, "C", readonly=True)
_I64 = numba.types.Array(numba.int64, 1, "C", readonly=True)
_EDGES = numba.types.Array(numba.int32, 2, "C", readonly=True)


@compiled()
def covers(x, y, edges, first, last):
    """Whether a point is inside or on the edges `first` to `last`, each (x1, y1, x2, y2), y1 ≤ y2.

    All in whole numbers: two products below 2**63 are compared, never subtracted, so that no
    rounding and no overflow can occur between -1.8e9 and 1.8e9.
    """
    odd = False
    for e in range(first, last):
        y1, y2 = np.int64(edges[e, 1]), np.int64(edges[e, 3])
        if y < y1 or y > y2:
            continue
        x1, x2 = np.int64(edges[e, 0]), np.int64(edges[e, 2])
        if x > max(x1, x2):
            continue
        if y1 == y2:
            if x >= min(x1, x2):
                return True
            continue
        if x < min(x1, x2):
            if y < y2:
                odd = not odd
            continue
        here = (x - x1) * (y2 - y1)
        edge = (x2 - x1) * (y - y1)
        if here == edge:
            return True
        if here < edge and y < y2:
            odd = not odd
    return odd


@compiled(
    numba.types.Tuple(
        (
            numba.int64[::1],
            numba.int32[::1],
            numba.int64[::1],
            numba.int32[::1],
            numba.int32[:, ::1],
        )
    )(_EDGES, _I64, numba.int64, numba.int64, numba.int64, numba.int64, numba.int64)
)
def rasterise(edges, edge_start, west, south, shift_x, shift_y, columns):
    """
    Find the cells that an outline touches (boundary) and those it fills (whole).

    Cells are conservative: every point of a whole cell is inside and no point of a cell without
    an entry is. A boundary cell refers to the edges that pass its row of cells.

    Returns cell keys (block × 256 + place in the block), codes (an outline, or outlines + row
    list), where each row list begins, whose it is, and the edges row by row.
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
    row_outline = np.empty(rows, np.int32)
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
            row_outline[row_base + r] = v
            row_start[row_base + r + 1] += row_start[row_base + r]
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
    return keys[:found].copy(), codes[:found].copy(), row_start, row_outline, by_row


@compiled(
    numba.types.Tuple((numba.int64[::1], numba.int32[::1]))(
        *(_I64, _I32, _I32),
        *(numba.int64,) * 6,
        *(_I32, _I32, _I32, _I32, _I64, _I32, _EDGES),
        *(_I32, _I64, _I64),
    )
)
def located(
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
):
    """Rows inside a hot spot on a day on which its outline held, and which hot spot."""
    outlines = len(outline_hotspot)
    out_row = np.empty(1024, np.int64)
    out_hotspot = np.empty(1024, np.int32)
    found = 0
    for i in range(len(at)):
        x, y = np.int64(longitude[i]) - west, np.int64(latitude[i]) - south
        if x < 0 or y < 0:
            continue
        column, row = x >> (shift_x + 4), y >> (shift_y + 4)
        if column >= columns or row >= rows:
            continue
        block = blocks[row * (columns + 1) + column]
        cell = cells[block * 256 + (((y >> shift_y) & 15) << 4) + ((x >> shift_x) & 15)]
        if cell == 0:
            continue
        start, stop = np.int64(0), np.int64(1)
        if cell < 0:
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
            if at[i] < outline_from[outline] or at[i] >= outline_until[outline]:
                continue
            if found == len(out_row):
                out_row = np.concatenate((out_row, np.empty_like(out_row)))
                out_hotspot = np.concatenate((out_hotspot, np.empty_like(out_hotspot)))
            out_row[found] = i
            out_hotspot[found] = outline_hotspot[outline]
            found += 1
    return out_row[:found].copy(), out_hotspot[:found].copy()
