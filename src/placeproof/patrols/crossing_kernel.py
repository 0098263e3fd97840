"""The compiled parts of the second path: near pings, presence over time, crossings, visits.

`places` is `membership.Neighbourhood.arrays()` everywhere, `x` and `y` are longitude and latitude
× 1e7, `at` is microseconds since 1970; pings lie device by device in order of time.
"""

import math

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
            while at[row] - at[a] < window and _linked(a - 1, a, device, at, gap):
                a -= 1
            while at[b] - at[row] < window and _linked(b, b + 1, device, at, gap):
                b += 1
            if a < b:
                pace = distance_m(x[a], y[a], x[b], y[b]) / ((at[b] - at[a]) / MICROSECONDS)
        if not np.isnan(pace):
            afoot[entry] = 1 if pace <= foot_fastest_m_s else 0
    return afoot


@compiled()
def _linked(a, b, device, at, gap):  # type: ignore[no-untyped-def]
    """Whether b follows a on one device's track without a silence that is too long."""
    return a >= 0 and b < len(at) and device[a] == device[b] and at[b] - at[a] <= gap


@compiled()
def _stays_apart(seconds, switch_per_s):  # type: ignore[no-untyped-def]
    """Chance that a device is on the other side of the boundary after some seconds."""
    return max(0.5 * -math.expm1(-switch_per_s * seconds), 1e-12)


@compiled()
def _over_time(  # type: ignore[no-untyped-def]
    hotspot, ping, chance, device, at, interval_s, gap, switch_per_s
):
    """
    Presence given all pings of a chain (forward and backward), seconds each one stands for, and
    the variance of when boundaries were crossed.

    A crossing between two pings is at any moment between them with equal chance, so its variance
    is the square of the time between, over 12. A ping that is out for certain is in no chain, and
    what lies beyond it adds nothing to what is known here. So beyond the end of a chain lies either
    such a ping or a silence, of which half a usual interval counts.
    """
    inside, weight_s = np.empty(len(ping)), np.empty(len(ping))
    crossing_s2 = np.zeros(len(ping))
    ahead = np.empty(len(ping))
    known_s, apart = 0.0, _stays_apart(0.0, switch_per_s)  # steps repeat: most are the interval
    first = 0
    while first < len(ping):
        last = first
        while (
            last + 1 < len(ping)
            and hotspot[last + 1] == hotspot[first]
            and ping[last + 1] == ping[last] + 1
            and _linked(ping[last], ping[last + 1], device, at, gap)
        ):
            last += 1
        usual_s = interval_s[device[ping[first]]]
        usual_s = 0.0 if np.isnan(usual_s) else usual_s
        before_s, after_s, prior, b_in, b_out = usual_s, usual_s, 0.5, 0.5, 0.5
        out_before = _linked(ping[first] - 1, ping[first], device, at, gap)
        if out_before:
            before_s = (at[ping[first]] - at[ping[first] - 1]) / MICROSECONDS
            prior = _stays_apart(before_s, switch_per_s)
        if _linked(ping[last], ping[last] + 1, device, at, gap):
            after_s = (at[ping[last] + 1] - at[ping[last]]) / MICROSECONDS
            b_in = _stays_apart(after_s, switch_per_s)
            b_out = 1 - b_in
        end_s = after_s
        for entry in range(first, last + 1):
            if entry > first:
                step_s = (at[ping[entry]] - at[ping[entry - 1]]) / MICROSECONDS
                if step_s != known_s:
                    known_s, apart = step_s, _stays_apart(step_s, switch_per_s)
                was = ahead[entry - 1]
                prior = was * (1 - apart) + (1 - was) * apart
            here = prior * chance[entry]
            ahead[entry] = here / (here + (1 - prior) * (1 - chance[entry]))
        for entry in range(last, first - 1, -1):
            here, there = ahead[entry] * b_in, (1 - ahead[entry]) * b_out
            inside[entry] = here / (here + there)
            left_s = before_s
            if entry > first:
                left_s = (at[ping[entry]] - at[ping[entry - 1]]) / MICROSECONDS
                if left_s != known_s:
                    known_s, apart = left_s, _stays_apart(left_s, switch_per_s)
                e_in, e_out = chance[entry] * b_in, (1 - chance[entry]) * b_out
                was = ahead[entry - 1]
                crossed = was * apart * e_out + (1 - was) * apart * e_in
                stayed = was * (1 - apart) * e_in + (1 - was) * (1 - apart) * e_out
                crossing_s2[entry - 1] += crossed / (crossed + stayed) * left_s * left_s / 12
                b_in = (1 - apart) * e_in + apart * e_out
                b_out = apart * e_in + (1 - apart) * e_out
                scale = b_in + b_out
                b_in /= scale
                b_out /= scale
            weight_s[entry] = (left_s + after_s) / 2
            after_s = left_s
        crossing_s2[first] += inside[first] * before_s * before_s / 12
        crossing_s2[last] += inside[last] * end_s * end_s / 12
        first = last + 1
    return inside, weight_s, crossing_s2


@compiled()
def _crossed_at(a, b, outline, last_one, at, x, y, places):  # type: ignore[no-untyped-def]
    """
    Moment at which the straight line between two pings crosses the boundary, at constant speed.

    The first crossing, or the last; half-way where the line does not cross, because it was not the
    positions alone that told the two apart.
    """
    centre, metres, edges, edge_start = places[3], places[4], places[6], places[7]
    east, north = metres[outline, 0], metres[outline, 1]
    ax, ay = (x[a] - centre[outline, 0]) * east, (y[a] - centre[outline, 1]) * north
    dx, dy = (np.int64(x[b]) - x[a]) * east, (np.int64(y[b]) - y[a]) * north
    found = -1.0
    for one in range(edge_start[outline], edge_start[outline + 1]):
        ex, ey = edges[one, 0] * east, edges[one, 1] * north
        fx, fy = edges[one, 2] * east - ex, edges[one, 3] * north - ey
        across = dx * fy - dy * fx
        if across == 0.0:
            continue
        along = ((ex - ax) * fy - (ey - ay) * fx) / across
        within = ((ex - ax) * dy - (ey - ay) * dx) / across
        if along < 0.0 or along > 1.0 or within < 0.0 or within > 1.0:
            continue
        if found < 0.0 or (along > found) == last_one:
            found = along
    if found < 0.0:
        found = 0.5
    return at[a] + np.int64(np.rint(found * (at[b] - at[a])))


@compiled()
def _arrived(entry, ping, which, device, at, x, y, usual_s, gap, places):  # type: ignore[no-untyped-def]
    row = ping[entry]
    if _linked(row - 1, row, device, at, gap):
        return _crossed_at(row - 1, row, which[entry], False, at, x, y, places)
    return at[row] - np.int64(usual_s * MICROSECONDS / 2)


@compiled()
def _left(entry, ping, which, device, at, x, y, usual_s, gap, places):  # type: ignore[no-untyped-def]
    row = ping[entry]
    if _linked(row, row + 1, device, at, gap):
        return _crossed_at(row, row + 1, which[entry], True, at, x, y, places)
    return at[row] + np.int64(usual_s * MICROSECONDS / 2)


@compiled()
def _goes_on(a, b, ping, which, device, at, x, y, gap, leave, places):  # type: ignore[no-untyped-def]
    """Whether the ping inside at entry b continues the visit whose last ping inside is at a."""
    if at[ping[b]] - at[ping[a]] > leave + 2 * gap:
        return False
    for row in range(ping[a], ping[b]):
        if at[row + 1] - at[row] > gap:
            return False
    if ping[b] == ping[a] + 1:
        return True
    gone = _left(a, ping, which, device, at, x, y, 0.0, gap, places)
    return _arrived(b, ping, which, device, at, x, y, 0.0, gap, places) - gone <= leave


@compiled()
def visits_of(  # type: ignore[no-untyped-def]
    hotspot,
    ping,
    which,
    chance,
    afoot,
    device,
    at,
    x,
    y,
    interval_s,
    gap,
    leave,
    smallest_presence,
    switch_per_s,
    error_lasts_s,
    places,
):
    """
    Put the near pings of each device and hot spot together into visits.

    Parameters
    ----------
    hotspot, ping, which, chance, afoot : arrays, one entry per near ping
        Sorted by hot spot, then ping.
    device, at, x, y : arrays, one entry per ping
    interval_s : array, one entry per device
    gap, leave : float
        Microseconds of silence, and outside, that end a visit.
    smallest_presence : float
        Presence from which a ping is inside.
    switch_per_s : float
        Twice the rate at which devices cross boundaries; infinite: each ping by itself.
    error_lasts_s : float
        How long errors of membership are alike.
    places : tuple

    Returns
    -------
    whose : int64, (visits, 2)
        Device, hot spot.
    moments : int64, (visits, 2)
        Arrived, left.
    numbers : float64, (visits, 5)
        seen_s, dwell_s, dwell_sd_s, visible_s, interval_s.
    pings : int64
    """
    inside, weight_s, crossing_s2 = _over_time(
        hotspot, ping, chance, device, at, interval_s, gap, switch_per_s
    )
    begun, over = _runs(
        hotspot, ping, which, inside, device, at, x, y, gap, leave, smallest_presence, places
    )
    visits = len(begun)
    whose, moments = np.empty((visits, 2), np.int64), np.empty((visits, 2), np.int64)
    numbers, counted = np.zeros((visits, 5)), np.zeros(visits, np.int64)
    for visit in range(visits):
        first, last = begun[visit], over[visit]
        low = _reach(visit, -1, begun, over, hotspot, ping, device, at, gap)
        high = _reach(visit, 1, begun, over, hotspot, ping, device, at, gap)
        dwell_s, known_s, afoot_s, variance, alike = 0.0, 0.0, 0.0, 0.0, 0.0
        step_s, fades = 0.0, 1.0
        for entry in range(low, high + 1):
            share_s = inside[entry] * weight_s[entry]
            dwell_s += share_s
            known_s += share_s if afoot[entry] >= 0 else 0.0
            afoot_s += share_s if afoot[entry] > 0 else 0.0
            error_s = weight_s[entry] * math.sqrt(chance[entry] * (1 - chance[entry]))
            if entry > low:
                since_s = (at[ping[entry]] - at[ping[entry - 1]]) / MICROSECONDS
                if since_s != step_s:
                    step_s, fades = since_s, math.exp(-since_s / error_lasts_s)
                alike *= fades
            variance += error_s * (error_s + 2 * alike) + crossing_s2[entry]
            alike += error_s
            if first <= entry <= last and inside[entry] >= smallest_presence:
                counted[visit] += 1
        code = device[ping[first]]
        usual_s = 0.0 if np.isnan(interval_s[code]) else interval_s[code]
        whose[visit, 0], whose[visit, 1] = code, hotspot[first]
        moments[visit, 0] = _arrived(first, ping, which, device, at, x, y, usual_s, gap, places)
        moments[visit, 1] = _left(last, ping, which, device, at, x, y, usual_s, gap, places)
        numbers[visit, 0] = (at[ping[last]] - at[ping[first]]) / MICROSECONDS
        numbers[visit, 1] = dwell_s
        numbers[visit, 2] = math.sqrt(variance)
        numbers[visit, 3] = dwell_s * afoot_s / known_s if known_s > 0 else np.nan
        numbers[visit, 4] = interval_s[code]
    return whose, moments, numbers, counted


@compiled()
def _runs(  # type: ignore[no-untyped-def]
    hotspot, ping, which, inside, device, at, x, y, gap, leave, smallest_presence, places
):
    """First and last entry of each visit."""
    size = 256
    begun, over = np.empty(size, np.int64), np.empty(size, np.int64)
    count = 0
    for entry in range(len(ping)):
        if inside[entry] < smallest_presence:
            continue
        if count:
            last = over[count - 1]
            if (
                hotspot[last] == hotspot[entry]
                and device[ping[last]] == device[ping[entry]]
                and _goes_on(last, entry, ping, which, device, at, x, y, gap, leave, places)
            ):
                over[count - 1] = entry
                continue
        if count == size:
            size *= 2
            begun = np.append(begun, np.empty(size - count, np.int64))
            over = np.append(over, np.empty(size - count, np.int64))
        begun[count] = over[count] = entry
        count += 1
    return begun[:count].copy(), over[:count].copy()


@compiled()
def _reach(visit, way, begun, over, hotspot, ping, device, at, gap):  # type: ignore[no-untyped-def]
    """
    Last entry before (way -1) or after (1) a visit whose small presence counts towards it.

    Presence just outside the fence belongs to the nearest visit, if that is no farther in time
    than the longest gap; to the earlier one where two are equally near.
    """
    own = begun[visit] if way < 0 else over[visit]
    end = own
    moment = at[ping[own]]
    rival = visit + way
    while 0 <= end + way < len(ping):
        entry = end + way
        if hotspot[entry] != hotspot[own] or device[ping[entry]] != device[ping[own]]:
            break
        distance = abs(at[ping[entry]] - moment)
        if distance > gap:
            break
        if 0 <= rival < len(begun):
            edge = over[rival] if way < 0 else begun[rival]
            if hotspot[edge] == hotspot[own] and device[ping[edge]] == device[ping[own]]:
                other = abs(at[ping[edge]] - at[ping[entry]])
                if other < distance or (way < 0 and other == distance):
                    break
        end = entry
    return end
