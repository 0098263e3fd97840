"""A rehearsal: an invented force is written, evaluated, and held against its planted truth."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from placeproof.errors import InputError, SettingsError
from placeproof.report.numbers import shown
from placeproof.study.showing import newest_run

MARK = "truth.json"
"""The file that only a rehearsal has: without it nothing is ever replaced."""
MADE = frozenset({MARK, "README.md", "study.toml", "plan.toml", "data", "text", "runs", "results"})
"""What a rehearsal and its runs write: nothing else is ever replaced."""


def rehearse(
    folder: Path,
    *,
    seed: int,
    size: str,
    effect: str,
    faults: Sequence[str],
    without: Sequence[str],
    replace: bool,
    begin: date | None = None,
) -> Path:
    """
    Write an invented force with known truth.

    Parameters
    ----------
    folder : Path
        Where to: a new or empty folder, or an earlier rehearsal if `replace` is true.
    seed : int
        Where the invention starts.
    size : str
        `small` or `full`.
    effect : str
        Which effects are planted.
    faults : sequence of str
        Faults to plant in the crime export.
    without : sequence of str
        Feeds to leave out.
    replace : bool
        Whether an earlier rehearsal in the folder may go.
    begin : date or None
        First day of the crime data; None: years before the first patrols.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    SettingsError
        If the folder holds something that is not a rehearsal, or a choice is unknown.
    """
    from placeproof.rehearsal import write_force

    def write(to: Path) -> Path:
        return write_force(
            to,
            seed=seed,
            size=size,
            effect=effect,
            faults=frozenset(faults),
            without=frozenset(without),
            begin=begin,
        )

    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"{folder} is a file.", mend="name a new folder")
    if not folder.exists() or not any(folder.iterdir()):
        return write(folder)
    _require_rehearsal(folder)
    if not replace:
        raise SettingsError(
            f"{folder} holds an earlier rehearsal.", mend="name a new folder, or add --replace"
        )
    with tempfile.TemporaryDirectory(dir=folder, prefix=".rehearsal-") as fresh:
        write(Path(fresh) / "force")
        for old in sorted(folder.iterdir()):
            if old.name in MADE:
                shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
        for new in sorted((Path(fresh) / "force").iterdir()):
            new.replace(folder / new.name)
    return folder


def _require_rehearsal(folder: Path) -> None:
    """Refuse a folder that holds anything which neither a rehearsal nor a run of it makes."""
    try:
        planted = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        planted = None
    if not isinstance(planted, dict) or "effects" not in planted:
        raise SettingsError(
            f"{folder} holds something that is not a rehearsal: nothing is replaced.",
            mend="name a new folder",
        )
    others = sorted(path.name for path in folder.iterdir() if path.name not in MADE)
    if others:
        raise SettingsError(
            f"{folder} holds a rehearsal, and what no rehearsal makes: {', '.join(others[:5])}. "
            "Nothing is replaced.",
            mend="move it elsewhere, or name a new folder",
        )


@dataclass(frozen=True)
class Compared:
    """Planted effects beside their estimates, one mapping for each."""

    rows: list[dict[str, object]]
    report: Path

    def lines(self) -> list[str]:
        """The comparison as a person reads it."""
        held = [row for row in self.rows if row["interval_holds_truth"] is True]
        judged = [row for row in self.rows if row["interval_holds_truth"] is not None]
        lines = ["", "Planted truth beside this run's estimates (headline and negative control):"]
        mark = {True: "holds it", False: "misses it", None: "no interval"}
        label = ""
        leading = {r["outcome"] for r in self.rows if r["role"] in {"headline", "negative_control"}}
        for row in self.rows:
            if row["outcome"] not in leading:
                continue
            if row["label"] != label:
                label = str(row["label"])
                lines.append(f"  {label}")
            lines.append(
                f"    {row['where']:<38} planted {row['planted_percent']:>+6.1f} %   "
                f"estimate {row['shown']}: {mark[row['interval_holds_truth']]}"  # type: ignore[index]
            )
        lines.append(
            f"  Over all outcomes {len(held)} of {len(judged)} intervals hold the planted effect; "
            "about 95 in 100 should."
        )
        return [*lines, "", f"Report: {self.report}"]


def against_truth(folder: Path) -> Compared:
    """
    Hold the newest run of a rehearsal against what was planted.

    Parameters
    ----------
    folder : Path
        A rehearsal with a whole run.

    Returns
    -------
    Compared
        One row per planted rate ratio that the run has an estimate for.

    Raises
    ------
    InputError
        If the study is not a rehearsal.
    """
    path = folder / MARK
    if not path.is_file():
        raise InputError(
            f"{folder} is not a rehearsal: it holds no {MARK}.",
            mend="only an invented force has a known truth",
        )
    planted = json.loads(path.read_text(encoding="utf-8"))["effects"]
    run = newest_run(folder)
    findings = pl.read_parquet(run / "tables" / "finding.parquet")
    rows = [_compared(effect, _estimate_of(effect, findings)) for effect in planted]
    return Compared([row for row in rows if row is not None], run / "report.html")


def _estimate_of(effect: dict[str, object], findings: pl.DataFrame) -> dict[str, object] | None:
    hits = findings.filter(
        pl.col("outcome") == effect["outcome"],
        pl.col("population") == effect["population"],
        pl.col("hours") == effect["hours"],
        pl.col("subgroup") == "all",
        pl.col("horizon") == "all",
        pl.col("estimand") == "rate_ratio",
        pl.col("method") == "poisson_imputation_jackknife",
    )
    return hits.row(0, named=True) if hits.height else None


def _compared(
    effect: dict[str, object], finding: dict[str, object] | None
) -> dict[str, object] | None:
    if finding is None or finding["status"] != "estimated":
        return None
    ratio = float(str(effect["rate_ratio"]))
    lower, upper = finding["lower"], finding["upper"]
    holds = (
        bool(lower <= ratio <= upper)
        if isinstance(lower, float) and isinstance(upper, float)
        else None
    )
    return {
        "label": finding["outcome_label"],
        "where": f"{effect['population']}, {str(effect['hours']).replace(':', ' hours, ')}",
        "role": finding["role"],
        "outcome": effect["outcome"],
        "planted_percent": 100 * (ratio - 1),
        "shown": shown(finding, "full"),
        "interval_holds_truth": holds,
        "finding_id": finding["finding_id"],
    }
