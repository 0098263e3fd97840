"""From the presence of single pings to visits: smoothed over time, crossings, minutes; compiled.

`places` is `membership.Neighbourhood.arrays()` everywhere, `x` and `y` are longitude and latitude
× 1e7, `at` is microseconds since 1970; pings lie device by device in order of time.
"""

import math

import numpy as np

from placeproof.patrols.cleaning import MICROSECONDS
from placeproof.patrols.compiled import compiled
from placeproof.patrols.near_pings import linked


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
            and linked(ping[last], ping[last + 1], device, at, gap)
        ):
            last += 1
        usual_s = interval_s[device[ping[first]]]
        usual_s = 0.0 if np.isnan(usual_s) else usual_s
        before_s, after_s, prior, b_in, b_out = usual_s, usual_s, 0.5, 0.5, 0.5
        out_before = linked(ping[first] - 1, ping[first], device, at, gap)
        if out_before:
            before_s = (at[ping[first]] - at[ping[first] - 1]) / MICROSECONDS
            prior = _stays_apart(before_s, switch_per_s)
        if linked(ping[last], ping[last] + 1, device, at, gap):
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
    centre, edges, edge_start = places[3], places[6], places[7]
    # In whole 1e-7 degrees, whose products are exact: a ping on the boundary crosses there.
    ax, ay = np.float64(x[a] - centre[outline, 0]), np.float64(y[a] - centre[outline, 1])
    dx, dy = np.float64(x[b]) - x[a], np.float64(y[b]) - y[a]
    found = -1.0
    for one in range(edge_start[outline], edge_start[outline + 1]):
        ex, ey = np.float64(edges[one, 0]), np.float64(edges[one, 1])
        fx, fy = edges[one, 2] - ex, edges[one, 3] - ey
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
    if linked(row - 1, row, device, at, gap):
        return _crossed_at(row - 1, row, which[entry], False, at, x, y, places)
    return at[row] - np.int64(usual_s * MICROSECONDS / 2)


@compiled()
def _left(entry, ping, which, device, at, x, y, usual_s, gap, places):  # type: ignore[no-untyped-def]
    row = ping[entry]
    if linked(row, row + 1, device, at, gap):
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
