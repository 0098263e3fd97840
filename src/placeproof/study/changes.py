"""What moved between two runs: each figure, and whether rows, definition, plan or code did it."""

import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from placeproof.errors import InputError
from placeproof.study.settings import find_folder
from placeproof.study.showing import newest_run
from placeproof.study.store import refusals_explained

KEYS = (
    "question",
    "outcome",
    "population",
    "subgroup",
    "hours",
    "horizon",
    "estimand",
    "method",
)
"""What a figure is called whatever its window: a later cut-off moves the window, not the figure."""
FIGURES = ("estimate", "lower", "upper", "n", "n_events", "status")
CHANGES = Path("results") / "changes.csv"


@dataclass(frozen=True)
class Changes:
    """Figures that moved, came or went between two runs."""

    before: str
    after: str
    rows: pl.DataFrame
    same: int

    def lines(self) -> list[str]:
        """The comparison as a person reads it, in short."""
        counts = dict(self.rows.group_by("change").len().sort("change").iter_rows())
        said = ", ".join(f"{count:,} {change}" for change, count in counts.items()) or "none moved"
        return [f"Figures since run {self.before}: {said}; {self.same:,} stayed the same."]


def compare(before: Path, after: Path) -> Changes:
    """
    List every figure that differs between two runs, and why.

    Parameters
    ----------
    before, after : Path
        Folders of two runs.

    Returns
    -------
    Changes
        `rows` has one row per figure: its keys, `change` (moved, new, gone), both estimates,
        intervals, n and statuses, and `why`: rows, definition, plan, settings, code, separated by
        blanks;
        "rows" only where the hashes of the very files behind the figure differ.

    Raises
    ------
    InputError
        If one of them holds no findings.
    """
    old, new = (_findings(run) for run in (before, after))
    old_facts, new_facts = (_manifest(run) for run in (before, after))
    joined = old.join(new, on=list(KEYS), how="full", coalesce=True, suffix="_after")
    moved = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in FIGURES)
    change = (
        pl.when(pl.col("finding_id").is_null())
        .then(pl.lit("new"))
        .when(pl.col("finding_id_after").is_null())
        .then(pl.lit("gone"))
        .when(moved)
        .then(pl.lit("moved"))
    )
    everywhere = [
        word
        for word, key in (
            ("plan", "plan_sha256"),
            ("settings", "settings_sha256"),
            ("code", "code_sha256"),
            ("code", "libraries"),
        )
        if old_facts.get(key) != new_facts.get(key)
    ]
    why = pl.concat_str(
        pl.when(pl.col("inputs") != pl.col("inputs_after")).then(pl.lit("rows")),
        pl.when(pl.col("definition_edition").ne_missing(pl.col("definition_edition_after"))).then(
            pl.lit("definition")
        ),
        pl.lit(" ".join(dict.fromkeys(everywhere)) or None, dtype=pl.String),
        separator=" ",
        ignore_nulls=True,
    )
    rows = joined.with_columns(change=change, why=why)
    kept = [*KEYS, "change", "why", *(f for name in FIGURES for f in (name, f"{name}_after"))]
    changed = rows.filter(pl.col("change").is_not_null()).select(kept).sort(*KEYS)
    same = rows.filter(pl.col("change").is_null()).height
    return Changes(before.name, after.name, changed, same)


def compare_in_study(folder: Path, before: str, after: str | None) -> Changes:
    """
    Compare two runs of a study and keep the list where its people find it.

    Parameters
    ----------
    folder : Path
        The study's folder.
    before : str
        Id of the earlier run.
    after : str or None
        Id of the later run; None: the newest whole one.

    Returns
    -------
    Changes
        Also written to `results/changes.csv`.

    Raises
    ------
    InputError
        If a run is not there.
    OutputError
        If the list cannot be written.
    """
    folder = find_folder(folder)
    later = folder / "runs" / after if after else newest_run(folder)
    changes = compare(folder / "runs" / before, later)
    path = folder / CHANGES
    with refusals_explained(path):
        path.parent.mkdir(exist_ok=True)
        changes.rows.write_csv(path, include_bom=True)
    return changes


def _findings(run: Path) -> pl.DataFrame:
    path = run / "tables" / "finding.parquet"
    if not path.is_file():
        raise InputError(
            f"{run.name} is no run with findings.",
            mend="name the folder of a run, as it stands in runs/",
        )
    wanted = [*KEYS, *FIGURES, "finding_id", "inputs", "definition_edition"]
    return (
        pl.read_parquet(path).select(wanted).unique(list(KEYS), keep="first", maintain_order=True)
    )


def _manifest(run: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    return content
