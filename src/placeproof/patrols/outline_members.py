"""Which positions lie in which hot spots, row by row.

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


@compiled(numba.types.Tuple((numba.int64[::1], numba.int64[::1]))(I64, I32, I32, RASTER, LOOKUP))
def located(at, longitude, latitude, raster, lookup):
    """Rows inside a hot spot on a day on which its outline held, and which hot spot."""
    out = np.empty((2, 1024), np.int64)
    total = 0
    filled, touched = np.empty((2, CHUNK), np.int32), np.empty((2, CHUNK), np.int32)
    hit = np.empty((2, 2 * CHUNK), np.int64)
    for begin in range(0, len(at), CHUNK):
        size = min(CHUNK, len(at) - begin)
        whole, partly = near_cells(longitude, latitude, begin, size, raster, filled, touched)
        j, k = np.int64(-1), np.int64(0)
        while j < partly:
            found, j, k = hits(
                *(j, k, begin, whole, partly, filled, touched, hit),
                *(at, longitude, latitude, lookup),
            )
            while total + found > out.shape[1]:
                grown = np.empty((2, 2 * out.shape[1]), np.int64)
                grown[:, :total] = out[:, :total]
                out = grown
            out[:, total : total + found] = hit[:, :found]
            total += found
    return out[0, :total].copy(), out[1, :total].copy()
