"""Minutes inside, against known truth: bias, intervals, and what the ping interval does.

Run from the project's root: python proofs/patrols/dwell.py
Writes dwell.json and dwell.md beside this file, and docs/images/visits-bias.svg. Seeds are fixed;
nothing else is random.
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import shapely
import walks
from numpy.typing import NDArray
from scipy import stats

from placeproof import geometry
from placeproof.patrols.crossings import CrossingRules, visits_by_crossings
from placeproof.patrols.visits import visits
from placeproof.tables import Hotspot, Ping

ROOT = Path(__file__).resolve().parents[2]
SEED = 20_241_027
PER_KIND = 400
INTERVALS_S = (5, 10, 15, 30, 60, 120, 300)
SIDES_M = (150.0, 160.0, 170.0, 180.0, 190.0, 200.0)
SOUTH_WEST = (430_000.0, 304_500.0)
APART_M = 4_000.0
START_US = 1_714_766_400_000_000
FENCE_M = (-20, -10, -5, 0, 5, 10, 20)
LOITER_S = 600

BIAS_BAND = (-0.05, 0.05)
MINUTES_BAND = (-0.02, 0.02)
COVERAGE_BAND = (0.93, 0.97)
MEAN_ERROR_S = 60.0
LINEAGE = {"source_sha256": "0" * 64, "source_row": 2}


@dataclass(frozen=True)
class Walked:
    """One patrol: its hot spot's size, its route, its true seconds inside."""

    kind: str
    side_m: float
    route: walks.Route
    truth_s: float


def rules(world: walks.World, **changed: float | None) -> CrossingRules:
    """Those that the manual recommends, for pings at this interval."""
    given: dict[str, Any] = {
        "longest_gap_s": max(180.0, 2.5 * world.interval_s),
        "shortest_dwell_s": 0.0,
        "exit_after_s": 120.0,
        "fastest_m_s": 60.0,
        "foot_fastest_m_s": 2.5,
        "default_accuracy_m": None,
        "worst_accuracy_m": 50.0,
        "smallest_presence": 0.5,
        "usual_stay_s": 300.0,
        "error_lasts_s": max(world.memory_s, 5.0),
        "still_after_s": 3600.0,
        "still_within_m": 30.0,
    }
    return CrossingRules(**given | changed)


def patrols(per_kind: int, seed: int, kinds: Sequence[str] = walks.KINDS) -> list[Walked]:
    """Patrols of every kind in equal numbers."""
    rng = np.random.default_rng([SEED, seed])
    made = []
    for number in range(per_kind * len(kinds)):
        kind, side = kinds[number % len(kinds)], SIDES_M[number % len(SIDES_M)]
        route = walks.patrol(kind, side, rng)
        made.append(Walked(kind, side, route, walks.true_dwell_s(route, side)))
    return made


def hotspots() -> pl.DataFrame:
    """Table `hotspot`: a square of each size."""
    rows = []
    for number, side in enumerate(SIDES_M):
        west, south = SOUTH_WEST[0] + number * APART_M, SOUTH_WEST[1]
        outline = shapely.box(west, south, west + side, south + side)
        rows.append(
            dict.fromkeys(Hotspot.column_names())
            | LINEAGE
            | {
                "hotspot_id": f"H{number}",
                "version": 1,
                "name": f"H{number}",
                "kind": "nte",
                "valid_from": date(2021, 7, 1),
                "geometry": shapely.to_wkb(outline),
                "area_m2": side**2,
                "centre_easting_m": west + side / 2,
                "centre_northing_m": south + side / 2,
            }
        )
    schema = {name: column.dtype for name, column in Hotspot.columns().items()}
    return Hotspot.validate(pl.DataFrame(rows, schema=schema), cast=True)


def positions(made: Sequence[Walked], world: walks.World, seed: int) -> pl.DataFrame:
    """Table `ping`: a device for each patrol."""
    rng = np.random.default_rng([SEED, seed])
    devices, moments, places = [], [], []
    for number, one in enumerate(made):
        at, xy = walks.reported(one.route, world, rng)
        devices.append(np.full(len(at), number))
        moments.append(at)
        shift = SIDES_M.index(one.side_m) * APART_M
        places.append(xy + np.array([SOUTH_WEST[0] + shift, SOUTH_WEST[1]]))
    device, at = np.concatenate(devices), np.concatenate(moments)
    longitude, latitude = geometry.to_degrees(*np.concatenate(places).T)
    frame = pl.DataFrame(
        {
            "device_id": pl.Series(device).cast(pl.String).str.zfill(6),
            "at": pl.Series(START_US + np.rint(at * 1e6).astype(np.int64)).cast(
                pl.Datetime("us", "UTC")
            ),
            "longitude_deg": longitude,
            "latitude_deg": latitude,
            "accuracy_m": np.full(len(at), world.accuracy_m),
            "speed_m_s": pl.Series([None] * len(at), dtype=pl.Float64),
            "source_sha256": LINEAGE["source_sha256"],
            "source_row": LINEAGE["source_row"],
        }
    )
    return Ping.validate(frame, cast=True)


def per_patrol(found: pl.DataFrame, patrols: int, column: str) -> NDArray[np.float64]:
    """A column of table `visit` added up by patrol; 0 where no visit was found."""
    total = found.group_by("device_id").agg(pl.col(column).sum())
    out = np.zeros(patrols)
    out[total["device_id"].cast(pl.Int64).to_numpy()] = total[column].to_numpy()
    return out


def longest(found: pl.DataFrame, patrols: int, column: str) -> NDArray[np.float64]:
    """The longest visit of each patrol."""
    return per_patrol(found.group_by("device_id").agg(pl.col(column).max()), patrols, column)


def straight_s(made: Sequence[Walked], pings: pl.DataFrame) -> NDArray[np.float64]:
    """Plain crossings: straight lines at constant speed, positions at their word, corners cut."""
    x, y = geometry.to_metres(pings["longitude_deg"], pings["latitude_deg"])
    device = pings["device_id"].cast(pl.Int64).to_numpy()
    at = pings["at"].dt.epoch("us").to_numpy() / 1e6
    side = np.array([one.side_m for one in made])[device]
    xy = np.column_stack([x, y]) - SOUTH_WEST
    xy[:, 0] -= np.searchsorted(SIDES_M, side) * APART_M
    same = device[1:] == device[:-1]
    begin, step, side = xy[:-1][same], np.diff(xy, axis=0)[same], side[:-1][same]
    low, high = np.zeros(len(begin)), np.ones(len(begin))
    for axis in (0, 1):
        with np.errstate(divide="ignore", invalid="ignore"):
            first = (0 - begin[:, axis]) / step[:, axis]
            second = (side - begin[:, axis]) / step[:, axis]
        low = np.maximum(low, np.minimum(first, second))
        high = np.minimum(high, np.maximum(first, second))
    inside_s = np.clip(high - low, 0, 1) * np.diff(at)[same]
    return np.bincount(device[:-1][same], inside_s, minlength=len(made))


def crossing(pings: pl.DataFrame, places: pl.DataFrame, world: walks.World, **changed: Any) -> Any:
    """Table `visit` by the second path."""
    return visits_by_crossings(pings, places, premises=None, rules=rules(world, **changed)).visits


def accuracy_of(
    made: Sequence[Walked], found: pl.DataFrame, kinds: Sequence[str]
) -> dict[str, object]:
    """Bias of the minutes, mean error of a patrol, and how often the interval holds the truth."""
    mine = np.array([one.kind in kinds for one in made])
    truth = np.array([one.truth_s for one in made])[mine]
    dwell = per_patrol(found, len(made), "dwell_s")[mine]
    variance = found.with_columns(variance=pl.col("dwell_sd_s") ** 2)
    sd = np.sqrt(per_patrol(variance, len(made), "variance")[mine])
    error = dwell - truth
    hits = int((np.abs(error) <= 1.96 * sd).sum())
    return {
        "patrols": int(mine.sum()),
        "truth_min": round(float(truth.mean() / 60), 2),
        "bias": ratio(error, truth),
        "mean_error_s": round(float(error.mean()), 1),
        "mean_absolute_error_s": round(float(np.abs(error).mean()), 1),
        "rmse_s": round(float(np.sqrt((error**2).mean())), 1),
        "mean_sd_s": round(float(sd.mean()), 1),
        "coverage": interval_of_share(hits, len(error)),
        "visits_per_patrol": round(found.height / len(made), 2),
    }


def ratio(error: NDArray[np.float64], truth: NDArray[np.float64]) -> dict[str, float]:
    """Relative bias of the sum, with its 99 % Monte Carlo interval."""
    if not truth.sum() > 0:
        return {"share": math.nan, "low": math.nan, "high": math.nan}
    share = float(error.sum() / truth.sum())
    spread = np.std(error - share * truth, ddof=1) / math.sqrt(len(error)) / truth.mean()
    reach = float(stats.norm.ppf(0.995) * spread)
    return {
        "share": round(share, 4),
        "low": round(share - reach, 4),
        "high": round(share + reach, 4),
    }


def interval_of_share(hits: int, trials: int) -> dict[str, float]:
    """Give a share with its exact 99 % interval."""
    low = float(stats.beta.ppf(0.005, hits, trials - hits + 1)) if hits else 0.0
    high = float(stats.beta.ppf(0.995, hits + 1, trials - hits)) if hits < trials else 1.0
    return {"share": round(hits / trials, 4), "low": round(low, 4), "high": round(high, 4)}


def worlds(per_kind: int) -> dict[str, dict[str, object]]:
    """Every kind of patrol at 10 s with 10 % dropouts, in four qualities of positions."""
    made, places, results = patrols(per_kind, 1), hotspots(), {}
    hardest = patrols(per_kind, 5, [walks.HARDEST])
    for number, (name, accuracy_m, memory_s) in enumerate(
        (
            ("5 m, independent", 5.0, 0.0),
            ("5 m, drifting", 5.0, 60.0),
            ("10 m, independent", 10.0, 0.0),
            ("10 m, drifting", 10.0, 60.0),
        )
    ):
        world = walks.World(10.0, accuracy_m, memory_s, 0.1)
        found = crossing(positions(made, world, 100 + number), places, world)
        results[name] = {"all": accuracy_of(made, found, walks.KINDS)}
        results[name] |= {kind: accuracy_of(made, found, [kind]) for kind in walks.KINDS}
        found = crossing(positions(hardest, world, 150 + number), places, world)
        results[name][walks.HARDEST] = accuracy_of(hardest, found, [walks.HARDEST])
    return results


def by_interval(per_kind: int, memory_s: float) -> dict[str, dict[str, object]]:
    """The same patrols seen at every ping interval, by four rules."""
    made, places, results = patrols(per_kind, 2), hotspots(), {}
    truth = np.array([one.truth_s for one in made])
    long = truth >= 600
    for interval_s in INTERVALS_S:
        world = walks.World(float(interval_s), 10.0, memory_s, 0.1)
        pings = positions(made, world, 200 + interval_s)
        free = visits(pings, places, longest_gap_s=rules(world).longest_gap_s, shortest_dwell_s=0)
        short = visits(pings, places, longest_gap_s=2.5 * interval_s, shortest_dwell_s=0)
        best = crossing(pings, places, world)
        results[str(interval_s)] = {
            "raw": ratio(per_patrol(free, len(made), "seen_s") - truth, truth),
            "one interval added": ratio(per_patrol(free, len(made), "dwell_s") - truth, truth),
            "the same, short gap": ratio(per_patrol(short, len(made), "dwell_s") - truth, truth),
            "straight line": ratio(straight_s(made, pings) - truth, truth),
            "crossings": ratio(per_patrol(best, len(made), "dwell_s") - truth, truth),
            "coverage": accuracy_of(made, best, walks.KINDS)["coverage"],
            "mean_sd_s": accuracy_of(made, best, walks.KINDS)["mean_sd_s"],
            "rmse_s": accuracy_of(made, best, walks.KINDS)["rmse_s"],
            "ten_minutes": {
                "raw": share_of(longest(free, len(made), "seen_s")[long] >= 600),
                "one interval added": share_of(longest(free, len(made), "dwell_s")[long] >= 600),
                "the same, short gap": share_of(longest(short, len(made), "dwell_s")[long] >= 600),
                "crossings": share_of(longest(best, len(made), "dwell_s")[long] >= 600),
            },
            "ten_minutes_falsely": {
                "crossings": share_of(longest(best, len(made), "dwell_s")[~long] >= 600)
            },
        }
    return results


def share_of(yes: NDArray[np.bool_]) -> float | None:
    """Share, to a tenth of a per cent; None where there is nothing to take it of."""
    return round(float(yes.mean()), 3) if len(yes) else None


def motion(per_kind: int) -> dict[str, dict[str, object]]:
    """Which way of counting the time around a crossing depends on how people move."""
    made, places, results = patrols(per_kind, 6), hotspots(), {}
    truth = np.array([one.truth_s for one in made])
    world = walks.World(60.0, 5.0, 0.0, 0.0)
    pings = positions(made, world, 500)
    straight = straight_s(made, pings)
    best = per_patrol(crossing(pings, places, world), len(made), "dwell_s")
    for kind in walks.KINDS:
        mine = np.array([one.kind == kind for one in made])
        results[kind] = {
            "straight line": ratio((straight - truth)[mine], truth[mine]),
            "crossings": ratio((best - truth)[mine], truth[mine]),
        }
    return results


def membership(per_kind: int) -> dict[str, dict[str, object]]:
    """What is done with accuracy, a ping every 10 s: bias by kind."""
    kinds = (*walks.KINDS, walks.HARDEST)
    made, places = patrols(per_kind, 7, kinds), hotspots()
    truth = np.array([one.truth_s for one in made])
    world = walks.World(10.0, 10.0, 0.0, 0.1)
    pings = positions(made, world, 600)
    at_their_word = pings.with_columns(accuracy_m=pl.lit(None, dtype=pl.Float64))
    found = {
        "at their word": crossing(at_their_word, places, world, usual_stay_s=None),
        "each ping by itself": crossing(pings, places, world, usual_stay_s=None),
        "crossings": crossing(pings, places, world),
    }
    total = {rule: per_patrol(one, len(made), "dwell_s") - truth for rule, one in found.items()}
    results: dict[str, dict[str, object]] = {}
    for kind in kinds:
        mine = np.array([one.kind == kind for one in made])
        results[kind] = {rule: ratio(error[mine], truth[mine]) for rule, error in total.items()}
    return results


def usual_stay(per_kind: int) -> dict[str, dict[str, object]]:
    """How much the one number of the smoothing matters."""
    made, places = patrols(per_kind, 8), hotspots()
    truth = np.array([one.truth_s for one in made])
    results: dict[str, dict[str, object]] = {}
    for interval_s in (10, 60):
        world = walks.World(float(interval_s), 10.0, 0.0, 0.1)
        pings = positions(made, world, 700 + interval_s)
        results[str(interval_s)] = {}
        for stay_s in (120, 240, 300, 480, 900):
            found = crossing(pings, places, world, usual_stay_s=float(stay_s))
            error = per_patrol(found, len(made), "dwell_s") - truth
            results[str(interval_s)][str(stay_s)] = ratio(error, truth)
    return results


def fence(each: int) -> dict[str, dict[str, object]]:
    """Ten minutes standing still at a distance outside the fence (negative: inside)."""
    rng, places = np.random.default_rng([SEED, 3]), hotspots()
    results: dict[str, dict[str, object]] = {}
    for offset in FENCE_M:
        made = []
        for number in range(each):
            side = SIDES_M[number % len(SIDES_M)]
            route = walks.loiter(offset, side, LOITER_S, rng)
            made.append(Walked("fence", side, route, walks.true_dwell_s(route, side)))
        one: dict[str, object] = {
            "truth_min": round(float(np.mean([m.truth_s for m in made]) / 60), 2)
        }
        for name, memory_s in (("independent", 0.0), ("drifting", 60.0)):
            world = walks.World(10.0, 10.0, memory_s, 0.1)
            pings = positions(made, world, 300 + offset)
            free = visits(pings, places, longest_gap_s=180, shortest_dwell_s=0)
            best = crossing(pings, places, world)
            alone = crossing(pings, places, world, usual_stay_s=None)
            for rule, found in (
                ("one interval added", free),
                ("crossings, each ping by itself", alone),
                ("crossings", best),
            ):
                minutes = per_patrol(found, each, "dwell_s").mean() / 60
                one[f"{rule}, {name}"] = round(float(minutes), 2)
            one[f"coverage, {name}"] = accuracy_of(made, best, ["fence"])["coverage"]
        results[str(offset)] = one
    return results


def passing(each: int) -> dict[str, dict[str, float]]:
    """Cars that drive through or cut a corner at 10 m/s: seconds found for each true one."""
    rng, places, made = np.random.default_rng([SEED, 4]), hotspots(), []
    for number in range(each):
        side = SIDES_M[number % len(SIDES_M)]
        angle, aside = rng.uniform(0, 2 * math.pi), rng.uniform(-0.7, 0.7) * side
        along = np.array([math.cos(angle), math.sin(angle)])
        middle = side / 2 + aside * np.array([-along[1], along[0]])
        route = middle + along * np.arange(-2000, 2000, 10)[:, None]
        made.append(Walked("car", side, route, walks.true_dwell_s(route, side)))
    truth = np.array([one.truth_s for one in made])
    results = {}
    for interval_s in (5, 10, 30, 60):
        world = walks.World(float(interval_s), 5.0, 0.0, 0.0)
        pings = positions(made, world, 400 + interval_s)
        free = visits(pings, places, longest_gap_s=180, shortest_dwell_s=0)
        best = crossing(pings, places, world)
        results[str(interval_s)] = {
            "one interval added": float(per_patrol(free, each, "dwell_s").sum()),
            "straight line": float(straight_s(made, pings).sum()),
            "crossings": float(per_patrol(best, each, "dwell_s").sum()),
        }
        results[str(interval_s)] = {
            rule: round(total / float(truth.sum()), 3)
            for rule, total in results[str(interval_s)].items()
        } | {"passes found": share_of(per_patrol(best, each, "dwell_s")[truth > 0] > 0)}
    return results


def outside(share: Mapping[str, float], band: tuple[float, float]) -> bool:
    """Whether the 99 % Monte Carlo interval lies wholly outside a band."""
    return share["high"] < band[0] or share["low"] > band[1]


def failures(results: Mapping[str, Any]) -> list[str]:
    """Say which figures miss what was asked of them."""
    wrong = []
    for world, kinds in results["worlds"].items():
        for kind, one in kinds.items():
            if kind != walks.HARDEST and outside(one["bias"], BIAS_BAND):
                wrong.append(f"{world}, {kind}: bias {one['bias']['share']:+.3f}")
        everyone = kinds["all"]
        if outside(everyone["coverage"], COVERAGE_BAND):
            wrong.append(f"{world}: coverage {everyone['coverage']['share']:.3f}")
        if world.startswith("5 m") and everyone["mean_absolute_error_s"] > MEAN_ERROR_S:
            wrong.append(f"{world}: mean error {everyone['mean_absolute_error_s']} s")
    for memory, intervals in results["by_interval"].items():
        for interval, one in intervals.items():
            if int(interval) <= 60 and outside(one["crossings"], MINUTES_BAND):
                wrong.append(f"{memory}, {interval} s: minutes {one['crossings']['share']:+.3f}")
    return wrong


def run(share: float) -> dict[str, Any]:
    """Every experiment with this part of the full counts."""
    per_kind = max(4, int(PER_KIND * share))
    return {
        "worlds": worlds(per_kind),
        "by_interval": {
            "independent": by_interval(per_kind, 0.0),
            "drifting": by_interval(per_kind, 60.0),
        },
        "motion": motion(per_kind),
        "membership": membership(per_kind),
        "usual_stay": usual_stay(per_kind),
        "fence": fence(max(6, int(300 * share))),
        "passing": passing(max(20, int(4000 * share))),
    }


def main() -> int:
    """Run, write the results, and fail where a band is missed."""
    from dwell_pages import figure, page

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="part of the patrols to walk")
    parser.add_argument("--into", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--figure", type=Path, default=ROOT / "docs/images/visits-bias.svg")
    options = parser.parse_args()
    results = run(options.share)
    text = json.dumps(results, indent=1) + "\n"
    (options.into / "dwell.json").write_text(text, encoding="utf-8")
    (options.into / "dwell.md").write_text(page(results), encoding="utf-8")
    options.figure.write_text(figure(results), encoding="utf-8")
    wrong = failures(results)
    print(page(results), *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
