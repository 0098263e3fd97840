"""Panels made by hand, and the simulator of proofs/effects."""

import importlib.util
import sys
from datetime import date
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
PROOFS = Path(__file__).resolve().parents[2] / "proofs" / "effects"


def load(name: str, file: str) -> ModuleType:
    """Import a script of proofs/effects, whose folder must not shadow the package coverage."""
    spec = importlib.util.spec_from_file_location(name, PROOFS / file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


simulate = load("simulate", "simulate.py")


def month(k: int) -> date:
    return date(2020 + k // 12, k % 12 + 1, 1)


def make_panel(
    counts: list[list[float | None]] | np.ndarray,
    starts: list[int | None],
    *,
    outcome: str = "planted",
    hours: str = "all",
    kinds: tuple[str, str] = ("hotspot", "comparison"),
    partial: frozenset[tuple[int, int]] = frozenset(),
    prefix: str = "",
    targets: bool = False,
) -> pl.DataFrame:
    """Rows of table `panel`, one list of monthly counts for each place; start: month of patrols."""
    rows = []
    for i, series in enumerate(counts):
        start = starts[i]
        for t, count in enumerate(series):
            first = None if start is None else month(start)
            if start is not None and (i, start) in partial:
                first = month(start).replace(day=15)
            treated: bool | None = start is not None and t >= start
            if (i, t) in partial:
                treated = None
            rows.append(
                {
                    "place_id": f"{prefix}P{i:02d}",
                    "kind": kinds[0] if start is not None else kinds[1],
                    "group": "treated" if start is not None else "comparison",
                    "target_id": f"P{i:02d}" if targets else None,
                    "period_kind": "month",
                    "period_start": month(t),
                    "period_end": month(t + 1) - (month(1) - date(2020, 1, 31)),
                    "outcome": outcome,
                    "hours": hours,
                    "count": None if count is None or np.isnan(count) else float(count),
                    "first_treated": first,
                    "treated": treated,
                    "event_time": None if start is None else t - start,
                    "planned_minutes": None,
                    "delivered_minutes": None,
                }
            )
    schema = {
        "place_id": pl.String,
        "kind": pl.String,
        "group": pl.String,
        "target_id": pl.String,
        "period_kind": pl.String,
        "period_start": pl.Date,
        "period_end": pl.Date,
        "outcome": pl.String,
        "hours": pl.String,
        "count": pl.Float64,
        "first_treated": pl.Date,
        "treated": pl.Boolean,
        "event_time": pl.Int64,
        "planned_minutes": pl.Float64,
        "delivered_minutes": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema)
