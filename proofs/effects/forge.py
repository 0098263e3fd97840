"""Where patrols change nothing, sets of comparison places must not make them do something.

Whole invented forces are drawn in which patrols change nothing; hot spots are chosen on luck, as a
force does. Sets are matched as a run matches them, and the median of the estimates over the sets
must lie within 0.02 of no change on the log scale, on average over the forces. Beside it stand
what other choices do: sets drawn by lot without matching, and a baseline that holds the selection
window and the periods matched on; and how often the placebos call out.

Run from the project's root: python proofs/effects/forge.py
Writes forge.json and forge.md beside this file. Seeds are fixed; nothing else is random.
"""

import argparse
import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl
import shapely
from scipy import stats

from placeproof import calendar, geometry, hotspots
from placeproof.effects.effect import effects
from placeproof.effects.forged import pretended_log_ratios, set_log_ratios
from placeproof.effects.grid import NEVER, Grid
from placeproof.effects.inference import placebo_p_value
from placeproof.effects.pretended import pretended_cells
from placeproof.rehearsal import ground_features, truth
from placeproof.rehearsal.choices import FIRST_DAY, HISTORY, LAST_DAY, SELECTION
from placeproof.rehearsal.city import areas, force_outline
from placeproof.rehearsal.draws import rng_for
from placeproof.rehearsal.force import World, build_world
from placeproof.rehearsal.rhythm import DAYS

OUTCOMES = ("sv-street-nondom", "all-crime-reported", "asb-all")
MATCHED_ON = OUTCOMES[0]
FORCES, FIRST_SEED, SETS = 60, 5_000, 20
RING_M, SIDE_M, LEAST_EVENTS = 250.0, 200.0, 5.0
FEATURES = ("residents", "deprivation", "venues")
EARLIER = (13, 26)
BAND = 0.02
MATCHING = hotspots.Matching(per_hotspot=2, shape_weight=1.0, feature_weight=1.0)
Ratios = dict[str, float]


def points_of(world: World, outcome: str, periods: list[date]) -> hotspots.Points:
    """Gather what happened in one force at its distinct points, week by week."""
    happened = world.with_patrols
    mine = truth.kinds_of(outcome)[happened.kind]
    at, days = happened.point[mine], happened.day[mine]
    events = pl.DataFrame(
        {"easting_m": world.city.easting_m[at], "northing_m": world.city.northing_m[at]}
    )
    amounts = pl.DataFrame(
        {
            "event": np.arange(len(at), dtype=np.uint32),
            "day": [DAYS[d] for d in days],
            "amount": 1.0,
        }
    ).with_columns(period_start=calendar.period_start(pl.col("day"), kind="week"))
    return hotspots.gathered(events, amounts, periods=periods)


def features_of(world: World) -> hotspots.Features:
    """Read off the ground what the rehearsal says of it in its files."""
    with tempfile.TemporaryDirectory() as folder:
        ground_features.write_features(Path(folder), world.city, world.rng("features"))
        areal = pl.read_csv(Path(folder) / "ground" / "area_statistics.csv")
        venues = pl.read_csv(Path(folder) / "ground" / "licensed_venues.csv")
    point = {"easting_m": pl.lit(None, pl.Float64), "northing_m": pl.lit(None, pl.Float64)}
    parts = [
        areal.select(feature=pl.lit(name), measure=pl.lit(measure), area_code="AREA_CD",
                     value=pl.col(column).cast(pl.Float64), **point)
        for name, measure, column in (
            ("residents", "amount", "RESIDENTS"), ("deprivation", "level", "DEPRIVATION"))
    ]  # fmt: skip
    parts.append(
        venues.select(
            feature=pl.lit("venues"), measure=pl.lit("point"),
            area_code=pl.lit(None, pl.String), value=pl.lit(1.0),
            easting_m=pl.col("X").cast(pl.Float64), northing_m=pl.col("Y").cast(pl.Float64),
        )
    )  # fmt: skip
    codes, squares = areas(force_outline())
    ground = pl.DataFrame(
        {"place_id": codes, "geometry": geometry.to_wkb(squares), "area_m2": shapely.area(squares)}
    )
    return hotspots.features_of(pl.concat(parts), names=FEATURES, areas=ground, reach_m=200.0)


def grid_of(world: World, points: hotspots.Points) -> Grid:
    """Lay the counts of the hot spots out; outlines are those of the first day."""
    spots = sorted(world.hotspots, key=lambda spot: spot.hotspot_id)
    outlines = np.array([spot.versions[0][2] for spot in spots], dtype=object)
    starts = np.array(points.periods, dtype="datetime64[D]")[None, :]
    first = np.array([spot.first_treated for spot in spots], dtype="datetime64[D]")[:, None]
    week = np.timedelta64(6, "D")
    counts = points.counted(outlines)
    return Grid(
        places=tuple(spot.hotspot_id for spot in spots),
        cohorts=tuple(spot.first_treated for spot in spots),
        patrolled=np.ones(len(spots), dtype=bool),
        period_starts=points.periods,
        period_ends=tuple(day + timedelta(days=6) for day in points.periods),
        period_kind="week",
        counts=counts,
        observed=np.ones(counts.shape, dtype=bool),
        before=starts + week < first,
        after=starts >= first,
        event_time=np.full(counts.shape, NEVER),
    )


def weeks() -> tuple[list[date], list[date], list[date]]:
    """List all weeks, those matched on, and those on which effects rest."""
    every = calendar.periods(FIRST_DAY, LAST_DAY, kind="week")["period_start"].to_list()
    history = calendar.periods(*HISTORY, kind="week")["period_start"].to_list()
    matched, _ = hotspots.split_periods(history)
    chosen = [
        day for day in every if day + timedelta(days=6) >= SELECTION[0] and day <= SELECTION[1]
    ]
    used = [day for day in every if day not in {*matched, *chosen}]
    return every, matched, used


def one_force(seed: int) -> dict[str, Ratios]:
    """Draw one force without effect, and estimate it under many sets in several ways."""
    world = build_world(seed=seed, size="small", effect="none")
    every, matched, used = weeks()
    points = {name: points_of(world, name, every) for name in OUTCOMES}
    spots = sorted(world.hotspots, key=lambda spot: spot.hotspot_id)
    outlines = np.array([spot.versions[0][2] for spot in spots], dtype=object)
    history = points[MATCHED_ON].during(matched)
    bare = hotspots.Ground(
        history=history,
        area_wkb=shapely.to_wkb(force_outline()),
        outlines=outlines,
        own=history.counted(outlines),
        forbidden=outlines,
        excluded_within_m=RING_M,
        side_m=SIDE_M,
        least_events=LEAST_EVENTS,
        features=hotspots.features_of(None, names=(), areas=None, reach_m=0.0),
    )
    made: dict[str, Ratios] = {}
    for name, ground, kinds in (
        ("tiles, matched on history", bare, ("tessellated",)),
        ("copies, matched on history", bare, ("translated",)),
        ("both, history and features", replace(bare, features=features_of(world)),
         ("tessellated", "translated")),
    ):  # fmt: skip
        rng = rng_for(seed, f"forge {name}")
        sets = hotspots.forged(ground, sets=SETS, kinds=kinds, matching=MATCHING, rng=rng)
        made[name] = _medians(world, points, sets, used)
        if ground is not bare:
            made["the same, every week as baseline"] = _medians(world, points, sets, every)
            made |= _placebos(world, points, sets, used, rng)
    made["tiles, drawn by lot"] = _by_lot(world, points, bare, used, rng_for(seed, "forge lot"))
    return made


def _medians(
    world: World,
    points: dict[str, hotspots.Points],
    sets: list[hotspots.MatchedSet],
    periods: list[date],
) -> Ratios:
    found = {}
    for name in OUTCOMES:
        here = points[name].during(periods)
        comparison = np.stack([here.counted(one.outlines).sum(axis=0) for one in sets])
        ratios = set_log_ratios(grid_of(world, here), comparison)
        found[name] = float(np.nanmedian(ratios))
        found[f"{name}, spread"] = float(np.nanstd(ratios))
    return found


def _by_lot(
    world: World,
    points: dict[str, hotspots.Points],
    ground: hotspots.Ground,
    periods: list[date],
    rng: np.random.Generator,
) -> Ratios:
    found: dict[str, list[float]] = {name: [] for name in OUTCOMES}
    for _ in range(SETS):
        east, north = (float(shift) + 0.5 for shift in rng.integers(0, int(SIDE_M), 2))
        pool = hotspots.candidate_pool(ground, kind=hotspots.TESSELLATED, offset_m=(east, north))
        wanted = min(2 * len(ground.outlines), len(pool.outlines))
        drawn = pool.outlines[rng.choice(len(pool.outlines), wanted, replace=False)]
        for name in OUTCOMES:
            here = points[name].during(periods)
            comparison = here.counted(drawn).sum(axis=0)[None]
            found[name].append(float(set_log_ratios(grid_of(world, here), comparison)[0]))
    return {name: float(np.nanmedian(ratios)) for name, ratios in found.items()} | {
        f"{name}, spread": float(np.nanstd(ratios)) for name, ratios in found.items()
    }


def _placebos(
    world: World,
    points: dict[str, hotspots.Points],
    sets: list[hotspots.MatchedSet],
    periods: list[date],
    rng: np.random.Generator,
) -> dict[str, Ratios]:
    """Whether the placebo in space calls the first set out, and what patrols found too early."""
    space: Ratios = {}
    time: dict[str, Ratios] = {f"pretended {steps} weeks earlier": {} for steps in EARLIER}
    for name in OUTCOMES:
        here = points[name].during(periods)
        table = grid_of(world, here)
        pretended = np.zeros((len(sets), len(table.places), len(here.periods)))
        beside = np.zeros((len(sets), len(here.periods)))
        for k, one in enumerate(sets):
            order = rng.permutation(len(one.spare_target))
            _, first = np.unique(one.spare_target[order], return_index=True)
            plays = order[first]
            counts = here.counted(one.spare_outlines)
            pretended[k, one.spare_target[plays]] = counts[plays]
            beside[k] = np.delete(counts, plays, axis=0).sum(axis=0)
        placebos = pretended_log_ratios(table, pretended, beside)
        own = here.counted(sets[0].outlines)
        headline = float(set_log_ratios(table, own.sum(axis=0)[None])[0])
        space[name] = float(np.nanmean(placebos))
        space[f"{name}, found"] = float(placebo_p_value(headline, placebos) <= 0.05)
        whole = _with(table, own)
        for steps in EARLIER:
            late, part = pretended_cells(whole, steps)
            effect = effects(whole, parts=part[None], before=whole.before & ~late, level=0.95)[0]
            into = time[f"pretended {steps} weeks earlier"]
            into[name] = effect.log_ratio
            spread = effect.spread
            into[f"{name}, found"] = float(spread is not None and spread.p_value <= 0.05)
    return {"placebo in space": space, **time}


def _with(table: Grid, counts: np.ndarray) -> Grid:
    extra = len(counts)
    shape = counts.shape
    return replace(
        table,
        places=(*table.places, *(f"~{i:03d}" for i in range(extra))),
        cohorts=(*table.cohorts, *[None] * extra),
        patrolled=np.append(table.patrolled, np.zeros(extra, dtype=bool)),
        counts=np.vstack([table.counts, counts]),
        observed=np.vstack([table.observed, np.ones(shape, dtype=bool)]),
        before=np.vstack([table.before, np.ones(shape, dtype=bool)]),
        after=np.vstack([table.after, np.zeros(shape, dtype=bool)]),
        event_time=np.vstack([table.event_time, np.full(shape, NEVER)]),
    )


def summary(made: list[dict[str, Ratios]]) -> dict[str, dict[str, dict[str, float]]]:
    """Average over forces, with the 99 % Monte Carlo interval; shares with their exact one."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for way in made[0]:
        found[way] = {}
        for name in OUTCOMES:
            medians = np.array([one[way][name] for one in made])
            reach = 2.576 * medians.std(ddof=1) / np.sqrt(len(medians))
            mean = float(medians.mean())
            cell = {"mean": mean, "low": mean - float(reach), "high": mean + float(reach)}
            if f"{name}, spread" in made[0][way]:
                cell["spread_over_sets"] = float(np.mean([o[way][f"{name}, spread"] for o in made]))
            if f"{name}, found" in made[0][way]:
                hits = int(sum(one[way][f"{name}, found"] for one in made))
                cell["found"] = hits / len(made)
                cell["found_low"] = (
                    float(stats.beta.ppf(0.005, hits, len(made) - hits + 1)) if hits else 0.0
                )
                cell["found_high"] = float(stats.beta.ppf(0.995, hits + 1, len(made) - hits))
            found[way][name] = {key: round(value, 5) for key, value in cell.items()}
    return found


MUST_HOLD = (
    "tiles, matched on history",
    "copies, matched on history",
    "both, history and features",
    "placebo in space",
)


def failures(found: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    """Say which averages lie outside the band, judged with their Monte Carlo interval."""
    return [
        f"{way}, {name}: {cell['mean']:+.4f} ({cell['low']:+.4f} to {cell['high']:+.4f})"
        for way in MUST_HOLD
        for name, cell in found[way].items()
        if cell["low"] > BAND or cell["high"] < -BAND
    ]


def table(found: dict[str, dict[str, dict[str, float]]], forces: int) -> str:
    """Lay the results out as a Markdown page."""
    lines = [
        "# Sets of comparison places where patrols change nothing",
        "",
        f"Made by `python proofs/effects/forge.py`: {forces} invented forces without effect, "
        f"{SETS} sets in each",
        "way. Each cell: the median over the sets on the log scale, averaged over the forces, with",
        "the 99 % Monte Carlo interval; in brackets the standard deviation over the sets of one",
        f"force. The first three rows and the placebo in space must lie within {BAND} of 0.",
        "",
        "| sets | " + " | ".join(OUTCOMES) + " |",
        "|---|" + "---|" * len(OUTCOMES),
    ]
    for way, cells in found.items():
        body = []
        for cell in cells.values():
            words = f"{cell['mean']:+.4f} ({cell['low']:+.4f} to {cell['high']:+.4f})"
            if "spread_over_sets" in cell:
                words += f" [{cell['spread_over_sets']:.3f}]"
            if "found" in cell:
                words += f"; calls out {100 * cell['found']:.0f} %"
            body.append(words)
        lines.append(f"| {way} | " + " | ".join(body) + " |")
    lines += [
        "",
        '"Calls out": how often, where nothing was planted, the placebo in space puts the first',
        "set's estimate among its outermost (p ≤ .05), and how often the 95 % interval of patrols",
        "pretended earlier leaves no change out.",
        "",
        "In these forces places share one course, so that sets drawn by lot are right on average",
        "too; what matching takes away here is the spread from set to set. Where hot spots are",
        "chosen on last year's counts and compared with places that were not, it takes away bias",
        "as well (`worlds.md`).",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Draw every force, write the results, and fail where the band is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="part of the forces to draw")
    parser.add_argument("--into", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--workers", type=int, default=2, help="processes; they change no figure")
    options = parser.parse_args()
    forces = max(3, int(FORCES * options.share))
    made = []
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        for one in pool.map(one_force, range(FIRST_SEED, FIRST_SEED + forces)):
            made.append(one)
            print(len(made), {way: round(cells[OUTCOMES[0]], 3) for way, cells in one.items()})
    found = summary(made)
    text = json.dumps({"forces": forces, "results": found}, indent=1, sort_keys=True) + "\n"
    (options.into / "forge.json").write_text(text, encoding="utf-8")
    (options.into / "forge.md").write_text(table(found, forces), encoding="utf-8")
    wrong = failures(found)
    print(table(found, forces), *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
