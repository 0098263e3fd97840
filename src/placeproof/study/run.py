"""One run of a study: the steps in their order, and the result put in place when it is whole."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from placeproof.errors import InputError, SettingsError, StudyError
from placeproof.study import (
    areas,
    attending,
    certified,
    concluding,
    costing,
    counting,
    displacing,
    dosing,
    estimating,
    forging,
    harming,
    locating,
    manifest,
    night_patrols,
    patrolling,
    placing,
    reading,
    rivals,
    robust,
    scanning,
    store,
    subgroups,
    uncertain_times,
    varying,
    weighing,
    writing,
)
from placeproof.study.changes import compare_in_study
from placeproof.study.lock import lock_state
from placeproof.study.mappings import meanings
from placeproof.study.plan import read_plan
from placeproof.study.reading import Progress
from placeproof.study.settings import find_folder, read_study
from placeproof.study.work import Work

Step = Callable[[Work], None]

STEPS: tuple[tuple[str, str, tuple[Step, ...]], ...] = (
    ("outcomes", "selecting outcomes", (placing.select_outcomes,)),
    (
        "places",
        "finding places",
        (placing.find_places, placing.describe_places, weighing.weigh_harm),
    ),
    ("patrols", "measuring patrols", (patrolling.measure_patrols,)),
    (
        "panel",
        "counting events",
        (
            counting.count_panel,
            counting.count_areas,
            counting.follow_missing_locations,
            scanning.scan_recording,
        ),
    ),
    (
        "effects",
        "estimating effects",
        (
            estimating.estimate_effects,
            varying.leave_events_out,
            varying.list_night_hours,
            uncertain_times.place_times_otherwise,
            subgroups.split_by_victim,
            night_patrols.follow_night_patrols,
            areas.estimate_areas,
            forging.forge_comparisons,
            rivals.estimate_beside_rivals,
            scanning.leave_steps_out,
            locating.bound_missing_locations,
            displacing.estimate_displacement,
            harming.estimate_harm,
            dosing.say_what_is_identified,
            dosing.compare_tasked_days,
            dosing.follow_horizons,
            dosing.follow_dose,
            robust.estimate_otherwise,
            robust.censor_at_exit,
            certified.heed_certificate,
        ),
    ),
    ("costs", "holding costs against effects", (costing.cost_effects,)),
    ("health", "reading health data", (attending.locate_attendances, estimating.describe_health)),
    ("surveys", "estimating from the survey", (estimating.estimate_survey,)),
    ("interviews", "counting the people heard", (estimating.describe_interviews,)),
    ("answers", "answering the questions", (concluding.conclude,)),
    ("report", "writing the report", ()),
)
"""Name for `--until`, words for people, and what is done. Reading always comes first."""


@dataclass(frozen=True)
class Run:
    """A run that was written: where, and what it says in short."""

    folder: Path
    whole: bool
    answers: list[dict[str, object]]
    findings: int
    rows_in: int
    rows_kept: int
    rows_quarantined: int
    rows_superseded: int
    errors: int
    warnings: int
    notices: list[str]

    def as_dict(self) -> dict[str, object]:
        """The run as plain values."""
        return {
            "run": self.folder.name,
            "folder": str(self.folder),
            "whole": self.whole,
            "report": str(self.folder / "report.html") if self.whole else None,
            "answers": self.answers,
            "findings": self.findings,
            "rows_in": self.rows_in,
            "rows_kept": self.rows_kept,
            "rows_quarantined": self.rows_quarantined,
            "rows_superseded": self.rows_superseded,
        }

    def lines(self) -> list[str]:
        """The run as a person reads it."""
        superseded = f" + {self.rows_superseded:,} superseded" if self.rows_superseded else ""
        lines = [
            f"{self.rows_in:,} rows in = {self.rows_kept:,} kept"
            f" + {self.rows_quarantined:,} quarantined{superseded}; {self.findings:,} findings.",
            *(
                f"  {row['question']:<5}{row['status']:<16}{row['confidence']:<10}{row['title']}"
                for row in self.answers
            ),
        ]
        if self.errors or self.warnings:
            lines.append(
                f"{self.errors} errors and {self.warnings} warnings about the files:"
                " the report lists them; placeproof check says how to mend them."
            )
        lines += self.notices
        lines.append(f"Report: {self.folder / 'report.html'}" if self.whole else str(self.folder))
        return lines


def run(folder: Path, *, until: str | None, progress: Progress) -> Run:
    """
    Evaluate a study.

    Parameters
    ----------
    folder : Path
        The study's folder.
    until : str or None
        Name of the last step to do; None: all. A run that stops early is kept, and never becomes
        the newest result.
    progress : callable
        Told of each step.

    Returns
    -------
    Run
        The last whole run stays in place until this one is whole.

    Raises
    ------
    StudyError
        Whatever a user can mend, in one of its kinds.
    """
    folder = find_folder(folder)
    names = [name for name, _, _ in STEPS]
    if until is not None and until not in names:
        raise SettingsError(f"there is no step {until!r}.", mend="name one of " + ", ".join(names))
    study, plan = read_study(folder), read_plan(folder)
    manifest.texts(folder)
    lock = lock_state(
        folder, plan, outcomes_public=study.outcomes_public, mappings=meanings(folder)
    )
    earlier = store.current_run(folder)
    building = store.start(folder)
    try:
        inputs = reading.read_all(study, progress)
        _require_something(inputs)
        work = Work(study, plan, lock, inputs, progress)
        last = names.index(until) if until else len(names) - 1
        for done, (_name, words, steps) in enumerate(STEPS[: last + 1]):
            progress(words, done, len(STEPS))
            for step in steps:
                step(work)
        whole = until in (None, "report")
        record = manifest.manifest(work, until=names[last])
        writing.write(building, work, record, whole=whole)
        final = store.finish(building, str(record["run"]), newest=whole)
    except BaseException:
        store.abandon(building)
        raise
    progress("done", len(STEPS), len(STEPS))
    made = _made(work, final, whole=whole)
    if whole and earlier is not None and earlier.name != final.name:
        made.notices.extend(_compared(folder, earlier.name, final.name))
    return made


def _compared(folder: Path, before: str, after: str) -> list[str]:
    """What moved since the last run; the run is whole and in place whether that can be said."""
    try:
        return compare_in_study(folder, before, after).lines()
    except (StudyError, OSError, ValueError, KeyError, pl.exceptions.PolarsError) as error:
        return [f"What moved since run {before} is not listed: {error}"]


def _require_something(inputs: reading.Inputs) -> None:
    if not inputs.tables:
        listed = [
            f"{row['feed']}: {row['message']}"
            for row in inputs.result.notices.iter_rows(named=True)
            if row["severity"] == "error"
        ]
        raise InputError(
            "no feed of the study could be read:\n  - " + "\n  - ".join(listed),
            mend="placeproof check says more about each",
        )


def _made(work: Work, folder: Path, *, whole: bool) -> Run:
    result = work.inputs.result
    totals = {
        part: int(result.receipts[f"rows_{part}"].sum())
        for part in ("in", "kept", "quarantined", "superseded")
    }
    severities = result.notices["severity"]
    answers = work.tables.get("answer", pl.DataFrame())
    wanted = ("question", "title", "status", "confidence")
    return Run(
        folder=folder,
        whole=whole,
        answers=[{name: row[name] for name in wanted} for row in answers.to_dicts()],
        findings=work.tables["finding"].height if "finding" in work.tables else 0,
        rows_in=totals["in"],
        rows_kept=totals["kept"],
        rows_quarantined=totals["quarantined"],
        rows_superseded=totals["superseded"],
        errors=int((severities == "error").sum()),
        warnings=int((severities == "warning").sum()),
        notices=[words for words in (work.lock.stamp, work.lock.remark) if words],
    )
