"""How often the intervals hold the truth, and how often they see an effect that is not there.

Run from the project's root: python proofs/effects/coverage.py
Writes coverage.json and coverage.md beside this file. Seeds are fixed; nothing else is random.
"""

import argparse
import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import simulate
from scipy import stats

from placeproof.effects.effect import overall
from placeproof.effects.grid import checked, grid
from placeproof.effects.imputation import placebo_log_ratios
from placeproof.effects.inference import jackknife, placebo_p_value
from placeproof.effects.trend import adjusted
from placeproof.effects.weighted_displacement import weighted_displacement

LEVEL = 0.95
PERMUTATIONS = 199
STUDIES = {"base": 500, "null": 1000, "strong": 300, "eight": 300, "trend": 300}
FIRST_SEED = {"base": 1_000, "null": 10_000, "strong": 20_000, "eight": 30_000, "trend": 40_000}

COVERAGE_BAND = (0.93, 0.97)
FALSE_ALARM_BAND = (0.03, 0.07)


def one_study(world: simulate.World, seed: int) -> dict[str, float]:
    """Estimate one simulated study by every method; 1 where an interval holds the truth."""
    table = grid(
        checked(simulate.panel(world, seed)),
        outcome="planted",
        hours="all",
        kinds=("hotspot", "comparison"),
    )
    truth = math.log(world.rate_ratio)
    effect = overall(table, level=LEVEL)
    full, without = adjusted(table)
    trend = float(full.log_ratio[0])
    degrees = effect.treated_places - 1
    wide = jackknife(trend, without.log_ratio, degrees=degrees, level=LEVEL)
    slope = jackknife(float(full.slope[0]), without.slope, degrees=degrees, level=LEVEL)
    moved = weighted_displacement(table, [], level=LEVEL)
    rng = np.random.default_rng(np.random.SeedSequence([77, seed]))
    placebos = placebo_log_ratios(table, permutations=PERMUTATIONS, rng=rng)
    reach = stats.norm.ppf(0.5 + LEVEL / 2) * moved.poisson_error
    return {
        "error": effect.log_ratio - truth,
        "standard_error": effect.spread.standard_error,
        "covered": effect.spread.lower <= truth <= effect.spread.upper,
        "found": not effect.spread.lower <= 0 <= effect.spread.upper,
        "trend_adjusted_error": trend - truth,
        "trend_adjusted_covered": wide.lower <= truth <= wide.upper,
        "pre_trend_found": not slope.lower <= 0 <= slope.upper,
        "placebo_found": placebo_p_value(effect.log_ratio, placebos) <= 1 - LEVEL,
        "displacement_found": not moved.spread.lower <= 0 <= moved.spread.upper,
        "displacement_poisson_found": abs(moved.difference) > reach,
    }


def many(name: str, studies: int) -> dict[str, object]:
    """Summarise many studies of one world; shares with their 99 % Monte Carlo interval."""
    world = simulate.WORLDS[name]
    made = [one_study(world, FIRST_SEED[name] + k) for k in range(studies)]
    errors = np.array([one["error"] for one in made])
    trend = np.array([one["trend_adjusted_error"] for one in made])
    summary: dict[str, object] = {
        "studies": studies,
        "rate_ratio": world.rate_ratio,
        "bias_log": round(float(errors.mean()), 5),
        "rmse_log": round(float(np.sqrt((errors**2).mean())), 5),
        "mean_standard_error": round(float(np.mean([o["standard_error"] for o in made])), 5),
        "trend_adjusted_bias_log": round(float(trend.mean()), 5),
    }
    for key in made[0]:
        if key.endswith(("covered", "found")):
            summary[key] = interval_of_share(sum(bool(one[key]) for one in made), studies)
    return summary


def interval_of_share(hits: int, studies: int) -> dict[str, float]:
    """Give a share with its exact 99 % interval."""
    low = float(stats.beta.ppf(0.005, hits, studies - hits + 1)) if hits else 0.0
    high = float(stats.beta.ppf(0.995, hits + 1, studies - hits)) if hits < studies else 1.0
    return {"share": round(hits / studies, 4), "low": round(low, 4), "high": round(high, 4)}


def outside(share: Mapping[str, float], band: tuple[float, float]) -> bool:
    """Whether the 99 % Monte Carlo interval of a share lies wholly outside a band."""
    return share["high"] < band[0] or share["low"] > band[1]


def failures(results: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Say which figures lie outside their bands in worlds where the assumptions hold."""
    wrong = []
    for name in ("base", "null", "strong", "eight"):
        if name not in results:
            continue
        for key in ("covered", "trend_adjusted_covered"):
            if outside(results[name][key], COVERAGE_BAND):
                wrong.append(f"{name}: {key} {results[name][key]['share']:.3f}")
    for key in ("found", "placebo_found"):
        if "null" in results and outside(results["null"][key], FALSE_ALARM_BAND):
            wrong.append(f"null: {key} {results['null'][key]['share']:.3f}")
    return wrong


def table(results: Mapping[str, Mapping[str, object]]) -> str:
    """Lay the results out as a Markdown table, in per cent."""
    columns = {
        "covered": "imputation covers",
        "found": "imputation finds",
        "placebo_found": "placebo p ≤ .05",
        "trend_adjusted_covered": "trend-adjusted covers",
        "pre_trend_found": "pre-trend slope found",
        "displacement_found": "WDD finds",
        "displacement_poisson_found": "WDD with Poisson variance finds",
    }
    lines = [
        "# How often the intervals hold the truth",
        "",
        "Made by `python proofs/effects/coverage.py`; per cent of simulated studies, with the",
        "99 % Monte Carlo interval. Worlds are described in `simulate.py`. In `null` and `trend`",
        'the patrols do nothing, so that "finds" is a false alarm. The Weighted Displacement',
        "Difference (WDD) is without rings.",
        "",
        "| world | true ratio | studies | bias (log) | " + " | ".join(columns.values()) + " |",
        "|---|---|---|---|" + "---|" * len(columns),
    ]
    for name, one in results.items():
        cells = [_percent(one[key]) for key in columns]
        lines.append(
            f"| {name} | {one['rate_ratio']} | {one['studies']} | {one['bias_log']:+.3f} | "
            + " | ".join(cells)
            + " |"
        )
    return "\n".join(lines) + "\n"


def _percent(share: Mapping[str, float]) -> str:
    return f"{100 * share['share']:.1f} ({100 * share['low']:.1f}–{100 * share['high']:.1f})"


def main() -> int:
    """Run every world, write the results, and fail where a band is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="part of the studies to run")
    parser.add_argument("--into", type=Path, default=Path(__file__).resolve().parent)
    options = parser.parse_args()
    results = {name: many(name, max(2, int(n * options.share))) for name, n in STUDIES.items()}
    text = json.dumps(results, indent=1, sort_keys=True) + "\n"
    (options.into / "coverage.json").write_text(text, encoding="utf-8")
    (options.into / "coverage.md").write_text(table(results), encoding="utf-8")
    wrong = failures(results)
    print(table(results), *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
