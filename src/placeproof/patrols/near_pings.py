"""Which pings lie near an outline, and what is known of each by itself; compiled.

`places` is `membership.Neighbourhood.arrays()` everywhere, `x` and `y` are longitude and latitude
× 1e7, `at` is microseconds since 1970; pings lie device by device in order of time.
"""

import numpy as np

from placeproof.patrols.cleaning import MICROSECONDS, distance_m
from placeproof.patrols.compiled import compiled
from placeproof.patrols.membership import FARTHEST_SD, presence

SPEED_WINDOW_S = 15
"""Without a reported speed, displacement is measured over this long before and after a ping."""


@compiled()
def near_pings(at, x, y, sd_m, still, places):  # type: ignore[no-untyped-def]
    """
    List the pings that may be inside an outline while it counts, with their probability.

    Parameters
    ----------
    at, x, y, sd_m, still : arrays, one entry per ping
        `sd_m` 0: the position is taken at its word. Where `still` is above 0 the device was left
        somewhere, which is no presence.
    places : tuple

    Returns
    -------
    hotspot : int32
    ping, outline : int64
    chance : float64
        In the order of the pings; all above 0.
    """
    hotspot, begins, ends, box = places[0], places[1], places[2], places[5]
    centre, metres, edges, edge_start = places[3], places[4], places[6], places[7]
    grid, start, outlines = places[8], places[9], places[10]
    west, south, shift, columns, rows = grid[0], grid[1], grid[2], grid[3], grid[4]
    size = 1024
    place, chance = np.empty(size, np.int32), np.empty(size)
    which, ping = np.empty(size, np.int64), np.empty(size, np.int64)
    count = 0
    for row in range(len(at)):
        if still[row] > 0:
            continue
        column, line = (np.int64(x[row]) - west) >> shift, (np.int64(y[row]) - south) >> shift
        if column < 0 or line < 0 or column >= columns or line >= rows:
            continue
        cell = line * columns + column
        for item in range(start[cell], start[cell + 1]):
            one = outlines[item]
            reach = FARTHEST_SD * sd_m[row] / metres[one, 0]
            if x[row] < box[one, 0] - reach or x[row] > box[one, 2] + reach:
                continue
            reach = FARTHEST_SD * sd_m[row] / metres[one, 1]
            if y[row] < box[one, 1] - reach or y[row] > box[one, 3] + reach:
                continue
            if at[row] < begins[one] or at[row] >= ends[one]:
                continue
            likely = presence(
                np.int64(x[row]) - centre[one, 0],
                np.int64(y[row]) - centre[one, 1],
                sd_m[row],
                metres[one, 0],
                metres[one, 1],
                edges,
                edge_start[one],
                edge_start[one + 1],
            )
            if not likely > 0:
                continue
            if count == size:
                size *= 2
                place = np.append(place, np.empty(size - count, np.int32))
                which = np.append(which, np.empty(size - count, np.int64))
                ping = np.append(ping, np.empty(size - count, np.int64))
                chance = np.append(chance, np.empty(size - count))
            place[count], which[count], ping[count] = hotspot[one], one, row
            chance[count] = likely
            count += 1
    return place[:count].copy(), ping[:count].copy(), which[:count].copy(), chance[:count].copy()


@compiled()
def usual_intervals(device, at, gap, devices):  # type: ignore[no-untyped-def]
    """
    Take each device's median time between pings, silences above `gap` left out.

    Parameters
    ----------
    device, at : arrays, one entry per ping
    gap : float
        Microseconds.
    devices : int

    Returns
    -------
    float64
        Seconds; the median of all devices where one has none; NaN where none has.
    """
    interval_s = np.full(devices, np.nan)
    steps = np.empty(len(at))
    first = 0
    while first < len(at):
        last = first
        count = 0
        while last + 1 < len(at) and device[last + 1] == device[first]:
            last += 1
            step = at[last] - at[last - 1]
            if step <= gap:
                steps[count] = step
                count += 1
        if count:
            interval_s[device[first]] = np.median(steps[:count]) / MICROSECONDS
        first = last + 1
    known = interval_s[~np.isnan(interval_s)]
    if len(known):
        interval_s[np.isnan(interval_s)] = np.median(known)
    return interval_s


@compiled()
def walking(ping, device, at, x, y, speed, gap, foot_fastest_m_s):  # type: ignore[no-untyped-def]
    """
    Say whether the device moved no faster than a walker.

    Parameters
    ----------
    ping : array, one entry per near ping
    device, at, x, y, speed : arrays, one entry per ping
        Reported speed, NaN where not given: then displacement over some seconds either way.
    gap : float
        Microseconds of silence across which no displacement is measured.
    foot_fastest_m_s : float

    Returns
    -------
    int8
        1 yes, 0 no, -1 not known.
    """
    window = SPEED_WINDOW_S * MICROSECONDS
    afoot = np.full(len(ping), -1, np.int8)
    for entry in range(len(ping)):
        row = ping[entry]
        pace = speed[row]
        if np.isnan(pace):
            a = b = row
            while at[row] - at[a] < window and linked(a - 1, a, device, at, gap):
                a -= 1
            while at[b] - at[row] < window and linked(b, b + 1, device, at, gap):
                b += 1
            if a < b:
                pace = distance_m(x[a], y[a], x[b], y[b]) / ((at[b] - at[a]) / MICROSECONDS)
        if not np.isnan(pace):
            afoot[entry] = 1 if pace <= foot_fastest_m_s else 0
    return afoot


@compiled()
def linked(a, b, device, at, gap):  # type: ignore[no-untyped-def]
    """
    Say whether b follows a on one device's track without a silence that is too long.

    Parameters
    ----------
    a, b : int
        Rows, which may lie beyond either end.
    device, at : arrays, one entry per ping
    gap : float
        Microseconds.
    """
    return a >= 0 and b < len(at) and device[a] == device[b] and at[b] - at[a] <= gap
