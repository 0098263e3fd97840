"""How long the default estimate takes, and how many times faster than pyfixest's Poisson.

Run from the project's root: python benchmarks/effects.py
Writes effects.json beside this file. Ratios are taken side by side in one run.
"""

import importlib.util
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from placeproof.effects.certificate.judging import FAST
from placeproof.effects.certificate.preparing import design, trial
from placeproof.effects.effect import overall
from placeproof.effects.fitting import fit
from placeproof.effects.grid import grid
from placeproof.effects.imputation import groups, placebo_log_ratios, sums
from placeproof.effects.rows import IMPUTATION
from placeproof.effects.trend import adjusted
from placeproof.study.simulating import jobs
from placeproof.study.simulating import simulate as simulate_studies

PROCESSES = 2
HERE = Path(__file__).resolve().parent


def simulate():
    """The simulator of the proofs."""
    spec = importlib.util.spec_from_file_location(
        "simulate", HERE.parent / "proofs" / "effects" / "simulate.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["simulate"] = module
    spec.loader.exec_module(module)
    return module


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Best of some runs, after one to warm up."""
    work()
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def main() -> int:
    """Time, write, and fail where the promise of 2 s or 100 times is not kept."""
    worlds = simulate()
    table = grid(
        worlds.panel(worlds.BASE, 1),
        outcome="planted",
        hours="all",
        kinds=("hotspot", "comparison"),
    )

    def default() -> None:
        overall(table, level=0.95)
        adjusted(table)
        placebo_log_ratios(table, permutations=999, rng=np.random.default_rng(1))

    grouped = groups(table)
    events, before = sums(table, grouped)[None], grouped.before.astype(float)
    ours = seconds(lambda: fit(events, before), 20)
    theirs = seconds(_pyfixest(table), 5)
    result = {
        "places": len(table.places),
        "periods": len(table.period_starts),
        "estimate_jackknife_trend_and_999_permutations_s": round(seconds(default, 3), 3),
        "imputation_fit_s": round(ours, 5),
        "pyfixest_fepois_s": round(theirs, 4),
        "times_faster_than_pyfixest": round(theirs / ours),
    }
    result |= certificate(worlds)
    text = json.dumps(result, indent=1) + "\n"
    (HERE / "effects.json").write_text(text, encoding="utf-8")
    print(text)
    slow = result["estimate_jackknife_trend_and_999_permutations_s"] >= 2.0
    slow |= result["certificate_1000_studies_with_jackknife_s"] >= 600
    return 1 if slow or result["times_faster_than_pyfixest"] < 100 else 0


def certificate(worlds) -> dict[str, float]:
    """A thousand invented studies of 60 places and 312 weeks, as placeproof certify does them."""
    panel = worlds.panel(worlds.BASE, 1)
    made = design(panel, panel, outcome="planted", masked_from=None)
    built, _, _ = trial(made, level=0.95, permutations=999)
    found = {}
    for name, methods, studies in (
        ("1000_studies_with_jackknife", (IMPUTATION,), 1000),
        ("100_studies_with_the_fast_estimators", FAST, 100),
    ):
        wanted = jobs("planted", rate_ratio=0.85, methods=methods, studies=studies, at_once=10)
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            simulate_studies(
                wanted, {"planted": built}, seed=1, kept=Path(folder) / "kept", workers=PROCESSES,
                progress=lambda *_: None, done=0, of=len(wanted),
            )  # fmt: skip
            found[f"certificate_{name}_s"] = round(time.perf_counter() - start, 1)
    return {"certificate_processes": PROCESSES} | found


def _pyfixest(table) -> Callable[[], object]:
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pyfixest
    row, column = np.nonzero(table.observed & table.before)
    counts = table.counts[row, column]
    data = pd.DataFrame({"count": counts, "place": row, "period": column})
    data["noise"] = np.random.default_rng(1).standard_normal(len(data))

    def work() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pyfixest.fepois("count ~ noise | place + period", data=data, vcov="iid")

    return work


if __name__ == "__main__":
    raise SystemExit(main())
