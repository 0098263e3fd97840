"""Everything that is wrong with a study, at once, in the order in which it is worth mending."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import polars as pl

from placeproof.errors import StudyError
from placeproof.files.premises import premises
from placeproof.files.streets import streets
from placeproof.study.lock import AS_LOCKED, LOCK_FILE, Lock, lock_state
from placeproof.study.manifest import texts
from placeproof.study.mappings import meanings
from placeproof.study.patrol_names import unknown_names
from placeproof.study.plan import Plan, read_plan
from placeproof.study.reading import Inputs, Progress, read_all
from placeproof.study.settings import Study, find_folder, read_study

Read = TypeVar("Read")

_ORDER = {"error": 0, "warning": 1, "note": 2}
EXAMPLES = 3
"""Rows named for each kind of fault; all of them stand in the run's quarantine."""
GRAVE_SHARE = 0.01
"""Share of a feed's rows from which leaving them out is an error, not a warning."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: how bad, where, what, and how to mend it."""

    severity: str
    where: str
    code: str
    message: str
    mend: str
    rows: int | None = None

    def as_text(self) -> str:
        """The problem as a person reads it."""
        mend = f"\n  To mend: {self.mend}" if self.mend else ""
        return f"{self.severity.upper()} {self.where} [{self.code}]\n  {self.message}{mend}"

    def as_dict(self) -> dict[str, object]:
        """The problem as plain values."""
        return asdict(self)


def check(folder: Path, progress: Progress) -> list[Problem]:
    """
    Look for everything that is wrong with a study.

    Parameters
    ----------
    folder : Path
        The study's folder. Nothing in it is changed.
    progress : callable
        Told of each feed.

    Returns
    -------
    list of Problem
        Errors first, then warnings, then notes; within them settings, then files, then rows.

    Raises
    ------
    SettingsError
        If the folder is no study.
    """
    folder = find_folder(folder)
    problems: list[Problem] = []
    study = _try(lambda: read_study(folder), "study.toml", problems)
    plan = _try(lambda: read_plan(folder), "plan.toml", problems)
    _try(lambda: texts(folder), "text", problems)
    if plan is not None:
        public = study is not None and study.outcomes_public
        lock = _try(lambda: _lock(folder, plan, public=public), LOCK_FILE, problems)
        problems += [] if lock is None else _of_lock(lock)
    if study is not None:
        try:
            inputs = read_all(study, progress)
        except StudyError as error:
            problems.append(_of_error("data", error))
        else:
            problems += _of_inputs(inputs)
            _of_ground(study, problems)
            if plan is not None:
                problems += _of_windows(study, plan, inputs)
                problems += _of_patrol_names(study, plan, inputs)
    progress("done", 1, 1)
    return sorted(problems, key=lambda problem: _ORDER[problem.severity])


def _try(read: Callable[[], Read], where: str, problems: list[Problem]) -> Read | None:
    try:
        return read()
    except StudyError as error:
        problems.append(_of_error(where, error))
        return None


def _of_error(where: str, error: StudyError) -> Problem:
    return Problem("error", where, error.code, error.message, error.mend)


def _lock(folder: Path, plan: Plan, *, public: bool) -> Lock:
    return lock_state(folder, plan, outcomes_public=public, mappings=meanings(folder))


def _of_lock(lock: Lock) -> list[Problem]:
    """What moved since the plan was locked, and what the lock does not cover."""
    if lock.state == "deviated":
        keys = ", ".join(each.key for each in lock.deviations)
        mend = "restore what was locked, or keep it: the numbers that it touches are marked"
        return [Problem("warning", LOCK_FILE, "deviates", f"{lock.stamp}: {keys}.", mend)]
    if lock.state == "changed":
        mend = "restore what was locked, or keep it: every number is then stamped exploratory"
        return [Problem("warning", LOCK_FILE, "changed_after_lock", f"{lock.stamp}.", mend)]
    if lock.remark:
        return [Problem("note", LOCK_FILE, "mappings_not_recorded", lock.remark, "none is needed")]
    if lock.state == "locked" and lock.mappings != AS_LOCKED:
        message = f"study.toml since the plan was locked: {lock.mappings}."
        return [Problem("note", LOCK_FILE, "mapped_after_lock", message, "none is needed")]
    return []


def _of_ground(study: Study, problems: list[Problem]) -> None:
    """Premises and streets are no feeds: a run reads them late."""
    if (path := study.premises) is not None:
        _try(lambda: premises(path), "study.toml, [premises]", problems)
    if (network := study.streets) is not None:
        _try(lambda: streets(network, crs=study.streets_crs), "study.toml, [streets]", problems)


def _of_inputs(inputs: Inputs) -> list[Problem]:
    result = inputs.result
    rows_in = dict(result.receipts.group_by("feed").agg(pl.col("rows_in").sum()).iter_rows())
    lost = _of_rows(result.quarantine, "left out", rows_in)
    kept = _of_rows(result.flagged, "kept, with a doubt", {})
    told = {(problem.where, problem.code) for problem in (*lost, *kept)}
    notices = [
        Problem(row["severity"], row["feed"], row["code"], row["message"], row["mend"], row["rows"])
        for row in result.notices.iter_rows(named=True)
        if (row["feed"], row["code"]) not in told
    ]
    return notices + lost + kept


def _of_rows(rows: pl.DataFrame, what: str, rows_in: dict[str, int]) -> list[Problem]:
    """One problem per feed, column and rule, and per default place, with its first rows."""
    problems = []
    # Each default place is a fault of its own: one more of them must not hide behind the others.
    place = pl.when(pl.col("rule") == "default-geocode").then("found").alias("place")
    keys = ["feed", "column", "rule", place]
    for (feed, column, rule, _), group in rows.group_by(keys, maintain_order=True):
        places = group.select("path", "source_row").unique().sort("path", "source_row")
        first = group.sort("path", "source_row").row(0, named=True)
        named = [f"{path}, row {row}" for path, row in places.head(EXAMPLES).iter_rows()]
        more = f"; and {places.height - EXAMPLES} more" if places.height > EXAMPLES else ""
        found = f" found {first['found']!r}," if first["found"] else ""
        message = (
            f'{"; ".join(named)}{more}, column "{column}":{found} expected {first["expected"]}. '
            f"{places.height} row{'s' if places.height > 1 else ''} {what}."
        )
        share = places.height / max(rows_in.get(str(feed), 1), 1)
        grave = "error" if rows_in and share >= GRAVE_SHARE else "warning"
        severity = grave if rows_in else "note"
        mend = first["mend"] or "none is needed"
        problems.append(Problem(severity, str(feed), str(rule), message, mend, places.height))
    return problems


def _of_patrol_names(study: Study, plan: Plan, inputs: Inputs) -> list[Problem]:
    """A packed folder that is not whole was told of when feeds were read."""
    with suppress(StudyError):
        return [
            Problem(
                str(one["severity"]),
                "plan.toml",
                str(one["code"]),
                str(one["message"]),
                str(one["mend"]),
            )
            for one in unknown_names(study, plan.patrols, inputs)
        ]
    return []


def _of_windows(study: Study, plan: Plan, inputs: Inputs) -> list[Problem]:
    problems = []
    months = [
        table["month"] for name in ("crime", "incident") if (table := inputs.get(name)) is not None
    ]
    if not months:
        message = "neither crime nor incidents are supplied: RQ1 to RQ3 cannot be answered."
        mend = "name the files in study.toml, [data.NAME]"
        return [Problem("error", "study.toml", "no_events", message, mend)]
    known = pl.concat(months).sort()
    first, last = known.item(0), known.item(-1)
    if plan.history_from < first:
        message = f"history_from {plan.history_from} lies before the first month of data, {first}."
        mend = "move history_from in plan.toml, or supply earlier extracts"
        problems.append(Problem("warning", "plan.toml", "before_data", message, mend))
    if plan.analysis_to > study.cut_off:
        message = f"analysis_to {plan.analysis_to} lies after the study's cut_off {study.cut_off}."
        mend = "move analysis_to, or supply later data and move cut_off"
        problems.append(Problem("warning", "plan.toml", "after_cut_off", message, mend))
    if last < plan.selection_to:
        message = f"the data end in {last}, before the selection window ends."
        problems.append(Problem("error", "plan.toml", "no_overlap", message, "move the windows"))
    return problems
