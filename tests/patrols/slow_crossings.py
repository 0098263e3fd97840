"""The second path from pings to visits, slow and obvious: shapely, one ping at a time.

Nothing here is shared with `placeproof.patrols` but the rules as they are written down.
"""

import math
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np
import shapely
from pyproj import Geod
from scipy.stats import norm

EARTH = Geod(ellps="WGS84")
NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)


@dataclass(frozen=True)
class Ping:
    device: str
    at: int  # microseconds
    x: int  # degrees × 1e7
    y: int
    accuracy: float | None
    speed: float | None


@dataclass(frozen=True)
class Version:
    """An outline in metres around its centre, and when it counts."""

    hotspot: str
    begins: int
    ends: int
    centre: tuple[int, int]
    scale: tuple[float, float]
    outline: Any

    def metres(self, ping: Ping) -> tuple[float, float]:
        x, y = self.centre
        return (ping.x - x) * self.scale[0], (ping.y - y) * self.scale[1]


def version(hotspot: str, outline: Any, begins: int = -(2**60), ends: int = 2**60) -> Version:
    """From an outline in degrees."""
    whole = shapely.transform(outline, lambda xy: np.rint(xy * 1e7))
    low = np.array(whole.bounds[:2], dtype=int)
    high = np.array(whole.bounds[2:], dtype=int)
    x, y = (int(v) for v in (low + high) // 2)
    lon, lat = x / 1e7, y / 1e7
    east = EARTH.inv(lon - 1e-4, lat, lon + 1e-4, lat)[2] / 2000
    north = EARTH.inv(lon, lat - 1e-4, lon, lat + 1e-4)[2] / 2000
    local = shapely.transform(whole, lambda xy: (xy - [x, y]) * [east, north])
    return Version(hotspot, begins, ends, (x, y), (east, north), local)


def presence(outline: Any, x: float, y: float, sd: float) -> float:
    """Slice by slice: where a vertical line lies in the outline, and how probable that is."""
    point = shapely.Point(x, y)
    if sd == 0 or outline.boundary.distance(point) > 5 * sd:
        return float(outline.intersects(point))
    bends = {float(v) for v in shapely.get_coordinates(outline)[:, 0]}
    west, south, east, north = outline.bounds
    cuts = sorted(
        v
        for v in bends | set(np.linspace(x - 7 * sd, x + 7 * sd, 8))
        if max(west, x - 7 * sd) <= v <= min(east, x + 7 * sd)
    )
    total = 0.0
    for a, b in pairwise(cuts):
        for node, weight in zip(NODES, WEIGHTS, strict=True):
            u = (a + b) / 2 + (b - a) / 2 * node
            line = shapely.LineString([(u, south - 1), (u, north + 1)])
            for part in shapely.get_parts(shapely.intersection(outline, line)):
                low, high = sorted(shapely.get_coordinates(part)[[0, -1], 1])
                slice_ = norm.cdf((high - y) / sd) - norm.cdf((low - y) / sd)
                total += weight * (b - a) / 2 * norm.pdf((u - x) / sd) / sd * slice_
    return min(max(total, 0.0), 1.0)


def metres(a: Ping, b: Ping) -> float:
    radius = 6_371_008.8 * math.pi / 180 * 1e-7
    east = (a.x - b.x) * math.cos(math.radians((a.y + b.y) / 2e7))
    return radius * math.hypot(east, a.y - b.y)


def clean(pings: list[Ping], rules: Any) -> tuple[list[Ping], dict[str, int]]:
    """One device's pings in order, without repeats and teleports."""
    dropped = dict.fromkeys(("accuracy", "repeat", "speed", "odd"), 0)
    good = [p for p in pings if p.accuracy is None or p.accuracy <= rules.worst_accuracy_m]
    dropped["accuracy"] = len(pings) - len(good)
    seconds = defaultdict(list)
    for p in good:
        seconds[p.at // 1_000_000].append(p)
    far = float("inf")

    def worth(p: Ping) -> tuple[float, ...]:
        return (
            far if p.accuracy is None else p.accuracy,
            *(p.at, p.y, p.x),
            far if p.speed is None else p.speed,
        )

    track = [min(same, key=worth) for _, same in sorted(seconds.items())]
    dropped["repeat"] = len(good) - len(track)

    def too_fast(a: Ping, b: Ping) -> bool:
        reach = rules.fastest_m_s * max((b.at - a.at) / 1e6, 1.0)
        return metres(a, b) > reach + (a.accuracy or 0) + (b.accuracy or 0)

    kept: list[Ping] = []
    row = 0
    if (
        len(track) > 2
        and too_fast(track[0], track[1])
        and too_fast(track[0], track[2])
        and not too_fast(track[1], track[2])
    ):
        dropped["speed"] += 1
        row = 1
    while row < len(track):
        if not kept or not too_fast(kept[-1], track[row]):
            kept.append(track[row])
            row += 1
            continue
        jump = 0
        for step in range(1, 6):
            if row + step == len(track):
                jump = 1 if step == 1 else 0
                break
            comes_back = step == 1 or not too_fast(kept[-1], track[row + step])
            if too_fast(track[row + step - 1], track[row + step]) and comes_back:
                jump = step
                break
        if jump:
            dropped["speed"] += jump
            row += jump
        else:
            dropped["odd"] += 1
            kept.append(track[row])
            row += 1
    return kept, dropped


def left_on(track: list[Ping], rules: Any) -> list[bool]:
    """Whether each ping belongs to a long stretch around the first ping of its piece."""
    still: list[bool] = []
    piece: list[Ping] = []
    for p in [*track, None]:
        silent = piece and p is not None and (p.at - piece[-1].at) / 1e6 > rules.still_after_s
        near = not piece or (p is not None and metres(piece[0], p) <= rules.still_within_m)
        if p is not None and near and not silent:
            piece.append(p)
            continue
        if piece:
            long = (piece[-1].at - piece[0].at) / 1e6 > rules.still_after_s
            still += [long] * len(piece)
        piece = [] if p is None else [p]
    return still


def visits(
    pings: list[Ping], versions: list[Version], rules: Any, premises: list[Version] = ()
) -> list[dict[str, Any]]:
    """Rows as in table `visit`, sorted."""
    devices = defaultdict(list)
    for p in pings:
        devices[p.device].append(p)
    tracks = {name: clean(own, rules)[0] for name, own in sorted(devices.items())}
    gap = rules.longest_gap_s * 1e6
    usual = {
        name: median(steps) / 1e6
        for name, track in tracks.items()
        if (steps := [b.at - a.at for a, b in pairwise(track) if b.at - a.at <= gap])
    }
    everyone = median(usual.values()) if usual else None
    found = []
    for name, track in tracks.items():
        interval = usual.get(name, everyone)
        still = left_on(track, rules)
        for hotspot in sorted({v.hotspot for v in versions}):
            own = [v for v in versions if v.hotspot == hotspot]
            found += _of_one(track, still, own, premises, rules, interval)
    return [v for v in found if v["dwell_s"] >= rules.shortest_dwell_s]


def _of_one(track, still, versions, premises, rules, interval):  # type: ignore[no-untyped-def]
    gap, leave = rules.longest_gap_s * 1e6, rules.exit_after_s * 1e6
    chance, outline = [], []
    for p, left in zip(track, still, strict=True):
        best, which = 0.0, None
        for v in versions:
            if v.begins <= p.at < v.ends and not left:
                sd = (p.accuracy or 0.0) / math.sqrt(-2 * math.log(0.32))
                x, y = v.metres(p)
                west, south, east, north = v.outline.bounds
                if west - 5 * sd <= x <= east + 5 * sd and south - 5 * sd <= y <= north + 5 * sd:
                    likely = presence(v.outline, x, y, sd)
                    if likely > best:
                        best, which = likely, v
        chance.append(best)
        outline.append(which)
    inside, weight, crossing = _smoothed(track, chance, rules, interval or 0.0)
    half = (interval or 0.0) * 1e6 / 2

    def arrival(i: int) -> float:
        if i > 0 and track[i].at - track[i - 1].at <= gap:
            return _crossed(track[i - 1], track[i], outline[i], last=False)
        return track[i].at - half

    def departure(i: int) -> float:
        if i + 1 < len(track) and track[i + 1].at - track[i].at <= gap:
            return _crossed(track[i], track[i + 1], outline[i], last=True)
        return track[i].at + half

    runs: list[list[int]] = []
    for i in [i for i, q in enumerate(inside) if q >= rules.smallest_presence and chance[i] > 0]:
        if runs:
            a = runs[-1][-1]
            silent = max(track[k + 1].at - track[k].at for k in range(a, i)) > gap
            if not silent and (i == a + 1 or arrival(i) - departure(a) <= leave):
                runs[-1].append(i)
                continue
        runs.append([i])
    rows = []
    for number, run in enumerate(runs):
        reach = [
            k
            for k in range(len(track))
            if chance[k] > 0 and _nearest(track, runs, k) == number and _off(track, run, k) <= gap
        ]
        seconds = [inside[k] * weight[k] for k in reach]
        pace = [_pace(track, k, gap, rules, premises) for k in reach]
        known = sum(s for s, v in zip(seconds, pace, strict=True) if v is not None)
        afoot = sum(s for s, v in zip(seconds, pace, strict=True) if v)
        error = [weight[k] * math.sqrt(chance[k] * (1 - chance[k])) for k in reach]
        variance = sum(crossing[k] for k in reach)
        for i, a in zip(reach, error, strict=True):
            for j, b in zip(reach, error, strict=True):
                apart = abs(track[i].at - track[j].at) / 1e6
                variance += a * b * math.exp(-apart / rules.error_lasts_s)
        rows.append(
            {
                "device_id": track[0].device,
                "hotspot_id": versions[0].hotspot,
                "arrived_at": arrival(run[0]),
                "left_at": departure(run[-1]),
                "seen_s": (track[run[-1]].at - track[run[0]].at) / 1e6,
                "dwell_s": sum(seconds),
                "dwell_sd_s": math.sqrt(variance),
                "visible_s": sum(seconds) * afoot / known if known else None,
                "interval_s": interval,
                "pings": len(run),
            }
        )
    return rows


def _off(track: list[Ping], run: list[int], k: int) -> float:
    return max(track[run[0]].at - track[k].at, track[k].at - track[run[-1]].at, 0)


def _nearest(track: list[Ping], runs: list[list[int]], k: int) -> int:
    return min(range(len(runs)), key=lambda r: (_off(track, runs[r], k), r))


def _smoothed(track, chance, rules, interval):  # type: ignore[no-untyped-def]
    """Forward and backward over every ping of every unbroken piece of the track."""
    n = len(track)
    inside, weight, crossing = np.zeros(n), np.zeros(n), np.zeros(n)
    cuts = [i for i in range(1, n) if track[i].at - track[i - 1].at > rules.longest_gap_s * 1e6]
    for first, end in pairwise([0, *cuts, n]):
        rows = range(first, end)
        steps = [(track[i + 1].at - track[i].at) / 1e6 for i in rows[:-1]]
        seen = np.array([[chance[i], 1 - chance[i]] for i in rows])
        moves = []
        for step in steps:
            apart = 0.5
            if rules.usual_stay_s is not None:
                apart = (1 - math.exp(-2 * step / rules.usual_stay_s)) / 2
            moves.append(np.array([[1 - apart, apart], [apart, 1 - apart]]))
        ahead = [seen[0] / seen[0].sum()]
        for move, here in zip(moves, seen[1:], strict=True):
            now = ahead[-1] @ move * here
            ahead.append(now / now.sum())
        behind = [np.ones(2)]
        for move, here in zip(moves[::-1], seen[:0:-1], strict=True):
            before = move @ (here * behind[-1])
            behind.append(before / before.sum())
        behind = behind[::-1]
        for k, i in enumerate(rows):
            both = ahead[k] * behind[k]
            inside[i] = both[0] / both.sum()
            left = steps[k - 1] if k else interval
            right = steps[k] if k < len(steps) else interval
            weight[i] = (left + right) / 2
            if k == 0:
                crossing[i] += inside[i] * left**2 / 12
            if k == len(steps):
                crossing[i] += inside[i] * right**2 / 12
            else:
                pair = ahead[k][:, None] * moves[k] * (seen[k + 1] * behind[k + 1])
                odds = (pair[0, 1] + pair[1, 0]) / pair.sum() * right**2 / 12
                # A ping that is out for certain is nobody's: the next one answers for the step.
                crossing[i + 1 if chance[i] == 0 else i] += odds
    return inside, weight, crossing


def _crossed(a: Ping, b: Ping, outline: Version, *, last: bool) -> float:
    line = shapely.LineString([outline.metres(a), outline.metres(b)])
    cut = shapely.get_parts(shapely.intersection(outline.outline.boundary, line))
    along = [
        line.project(shapely.Point(xy)) for part in cut for xy in shapely.get_coordinates(part)
    ]
    share = 0.5 if not along else (max(along) if last else min(along)) / line.length
    return a.at + share * (b.at - a.at)


def _pace(track, i, gap, rules, premises):  # type: ignore[no-untyped-def]
    """Whether the device was seen at walking pace and outside premises; None: not known."""
    for v in premises:
        if v.outline.intersects(shapely.Point(v.metres(track[i]))):
            return False
    pace = track[i].speed
    if pace is None:
        a = b = i
        while a > 0 and track[i].at - track[a].at < 15e6 and track[a].at - track[a - 1].at <= gap:
            a -= 1
        while (
            b + 1 < len(track)
            and track[b].at - track[i].at < 15e6
            and track[b + 1].at - track[b].at <= gap
        ):
            b += 1
        if a == b:
            return None
        pace = metres(track[a], track[b]) / ((track[b].at - track[a].at) / 1e6)
    return pace <= rules.foot_fastest_m_s
