"""The recovery certificate: do the planned estimators hold in studies like this one?"""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from placeproof import __version__
from placeproof.definitions import outcomes
from placeproof.effects.certificate.calibrating import Calibration
from placeproof.effects.certificate.judging import FAST, SLOW, Score, Trial
from placeproof.effects.certificate.preparing import NO_SPOTS, trial
from placeproof.effects.certificate.summing import (
    Bands,
    detectable,
    ladder,
    summary,
    verdict,
)
from placeproof.effects.rows import IMPUTATION, PLACEBO
from placeproof.errors import IdentificationError
from placeproof.study import reading
from placeproof.study.certificate_file import (
    SCHEMA,
    designs,
    estimators_sha256,
    write_certificate,
)
from placeproof.study.lock import lock_state
from placeproof.study.mappings import meanings
from placeproof.study.plan import read_plan
from placeproof.study.reading import Progress
from placeproof.study.run import STEPS
from placeproof.study.settings import find_folder, read_study
from placeproof.study.simulating import Job, Scores, jobs, simulate
from placeproof.study.store import refusals_explained, sha256_of
from placeproof.study.waiting import estimated
from placeproof.study.work import Work

BEFORE = ("outcomes", "places", "panel")
"""Steps of a run that a certificate stands on; none of them estimates anything."""
AT_ONCE = {"fast": 20, "power": 50, "slow": 4}
"""Studies in a job, so that jobs take about as long."""


@dataclass(frozen=True)
class Certified:
    """A certificate that was written, and what it says in short."""

    path: Path
    content: dict[str, object]
    not_counted: Mapping[str, str] = field(default_factory=dict)
    """Headline outcomes that cannot be counted, with the reason."""

    def lines(self) -> list[str]:
        """The certificate as a person reads it."""
        told: list[str] = []
        found: Mapping[str, Any] = self.content["outcomes"]  # type: ignore[assignment]
        for name, one in found.items():
            told.append(outcomes()[name].label)
            if one["refusal"]:
                told.append(f"  nothing can be certified: {one['refusal']}")
                continue
            told += [
                f"  {_WORDS[each['verdict']]:<18}{method}  {each['reason']}".rstrip()
                for method, each in one["estimators"].items()
            ]
            told.append(f"  {_found(one['detectable'])}")
        told += [f"{name}: not counted. {reason}" for name, reason in self.not_counted.items()]
        told.append(f"Certificate: {self.path}. The next run reads it.")
        return told


_WORDS = {"certified": "certified", "barred": "BARRED", "not_certifiable": "cannot certify"}


def _found(smallest: Mapping[str, Any]) -> str:
    told = [
        f"a {way} of {100 * abs(one['rate_ratio'] - 1):.0f} %"
        for way in ("fall", "rise")
        if (one := smallest.get(way))
    ]
    if not told:
        return "no change that was tried is found in 80 of 100 studies"
    return f"found in 80 of 100 studies: {' or '.join(told)}"


def certify(folder: Path, *, workers: int | None, progress: Progress) -> Certified:
    """
    Try the planned estimators on invented studies like this one, and keep what came of it.

    Parameters
    ----------
    folder : Path
        The study's folder. Counts from the month of the first patrols on are never read.
    workers : int or None
        Processes; None: as many as this machine has processors.
    progress : callable
        Told of what is read.

    Returns
    -------
    Certified
        The same bytes for the same study, plan and code, whatever the number of workers.

    Raises
    ------
    StudyError
        Whatever a user can mend, in one of its kinds; and when it is stopped by the keyboard.
    """
    folder = find_folder(folder)
    work = _counted(folder, progress)
    if not work.headline_outcomes():
        reasons = "; ".join(f"{name}: {why}" for name, why in work.not_supplied.items())
        raise IdentificationError(
            f"No headline outcome can be counted, so nothing can be certified. {reasons}".rstrip(),
            mend="supply what the reasons name; placeproof check says more",
        )
    built: dict[str, _Built] = {}
    for name, made in designs(work).items():
        if made is None:
            built[name] = _Built(None, NO_SPOTS, None, None)
            continue
        plan = work.plan
        invented, refusal, calibration = trial(
            made, level=plan.level, permutations=plan.permutations
        )
        built[name] = _Built(invented, refusal, calibration, made.sha256)
    progress("done", 1, 1)
    head = {
        "schema": SCHEMA,
        "placeproof": __version__,
        "plan_sha256": work.lock.sha256,
        "estimators_sha256": estimators_sha256(),
    }
    key = sha256_of([head, {name: one.sha256 for name, one in built.items()}])[:12]
    kept = folder / "results" / f"certificate-{key}.part.jsonl"
    with refusals_explained(kept):
        for left in sorted((folder / "results").glob("certificate-*.part.jsonl")):
            if left != kept:
                left.unlink()
    told = _simulated(work, built, kept, workers or os.cpu_count() or 1)
    path = write_certificate(folder, head | {"outcomes": told} | _choices(work))
    kept.unlink(missing_ok=True)
    uncounted = {
        name: reason
        for name, reason in work.not_supplied.items()
        if work.role_of(name) == "headline"
    }
    return Certified(path, head | {"outcomes": told}, uncounted)


@dataclass(frozen=True)
class _Built:
    trial: Trial | None
    refusal: str
    calibration: Calibration | None
    sha256: str | None


def _counted(folder: Path, progress: Progress) -> Work:
    study, plan = read_study(folder), read_plan(folder)
    lock = lock_state(
        folder, plan, outcomes_public=study.outcomes_public, mappings=meanings(folder)
    )
    work = Work(study, plan, lock, reading.read_all(study, progress), progress)
    for name, words, steps in STEPS:
        if name in BEFORE:
            progress(words, BEFORE.index(name), len(BEFORE) + 1)
            for step in steps:
                step(work)
    return work


def _choices(work: Work) -> dict[str, object]:
    chosen = work.plan.certificate
    return {
        "studies": chosen.studies,
        "slow_studies": chosen.slow_studies,
        "rate_ratios": _ratios(work),
        "coverage_band": list(chosen.coverage_band),
        "false_alarm_band": list(chosen.false_alarm_band),
        "largest_bias": chosen.largest_bias,
    }


def _ratios(work: Work) -> list[float]:
    return list(dict.fromkeys([1.0, *map(float, work.plan.certificate.rate_ratios)]))


def _slow(work: Work) -> tuple[str, ...]:
    return tuple(name for name in SLOW if name != PLACEBO or work.plan.permutations)


def _simulated(
    work: Work, built: Mapping[str, _Built], kept: Path, workers: int
) -> dict[str, dict[str, object]]:
    chosen, ratios = work.plan.certificate, _ratios(work)
    trials = {name: one.trial for name, one in built.items() if one.trial is not None}
    first = {
        name: [
            job
            for ratio in ratios
            for methods, speed, studies in (
                (FAST, "fast", chosen.studies),
                (_slow(work), "slow", chosen.slow_studies),
            )
            for job in jobs(
                name, rate_ratio=ratio, methods=methods, studies=studies, at_once=AT_ONCE[speed]
            )
        ]
        for name in trials
    }
    rungs = 8 * len(jobs("", rate_ratio=1.0, methods=(), studies=chosen.studies,
                         at_once=AT_ONCE["power"]))  # fmt: skip
    all_first = [job for many in first.values() for job in many]
    of = len(all_first) + rungs * len(trials)
    how = {"seed": work.plan.seed, "kept": kept, "workers": workers, "of": of}
    with estimated("jobs") as bar:
        scores = simulate(all_first, trials, progress=bar, done=0, **how)  # type: ignore[arg-type]
        rising = {name: _power_jobs(work, first[name], scores) for name in trials}
        later = [job for many in rising.values() for job in many]
        scores |= simulate(later, trials, progress=bar, done=len(all_first), **how)  # type: ignore[arg-type]
    return {
        name: _told(work, one, first.get(name, []), rising.get(name, []), scores)
        for name, one in built.items()
    }


def _gathered(
    wanted: Sequence[Job], scores: Mapping[str, Scores], method: str, ratio: float
) -> list[Score]:
    return [
        score
        for job in wanted
        if job.rate_ratio == ratio and method in job.methods
        for score in scores[job.name][method]
    ]


def _power_jobs(work: Work, first: Sequence[Job], scores: Mapping[str, Scores]) -> list[Job]:
    null = _gathered(first, scores, IMPUTATION, 1.0)
    return [
        job
        for effect in ladder(null)
        for job in jobs(
            first[0].outcome,
            rate_ratio=float(f"{math.exp(effect):.8g}"),
            methods=(IMPUTATION,),
            studies=work.plan.certificate.studies,
            at_once=AT_ONCE["power"],
        )
    ]


def _told(
    work: Work,
    one: _Built,
    first: Sequence[Job],
    rising: Sequence[Job],
    scores: Mapping[str, Scores],
) -> dict[str, object]:
    told: dict[str, object] = {
        "inputs_sha256": one.sha256,
        "refusal": one.refusal,
        "calibration": _calibration(one.calibration),
        "estimators": {},
        "detectable": {},
    }
    if one.trial is None:
        return told
    chosen = work.plan.certificate
    bands = Bands(
        (chosen.coverage_band[0], chosen.coverage_band[1]),
        (chosen.false_alarm_band[0], chosen.false_alarm_band[1]),
        chosen.largest_bias,
    )
    estimators = {}
    for method in (*FAST, *_slow(work)):
        by_ratio = {
            ratio: summary(_gathered(first, scores, method, ratio)) for ratio in _ratios(work)
        }
        said, why = verdict(by_ratio, bands)
        estimators[method] = {
            "verdict": said,
            "reason": why,
            "by_rate_ratio": [{"rate_ratio": ratio} | each for ratio, each in by_ratio.items()],
        }
    return told | {"estimators": estimators, "detectable": _detectable(rising, scores)}


def _detectable(rising: Sequence[Job], scores: Mapping[str, Scores]) -> dict[str, object]:
    made: dict[str, object] = {}
    for way, below in (("fall", True), ("rise", False)):
        tried = []
        for ratio in dict.fromkeys(job.rate_ratio for job in rising):
            if (ratio < 1) == below:
                found = [s.found for s in _gathered(rising, scores, IMPUTATION, ratio)]
                told = [bool(each) for each in found if each is not None]
                tried.append((math.log(ratio), sum(told), len(told)))
        smallest = detectable(tried)
        if smallest is not None:
            made[way] = {
                "rate_ratio": smallest.rate_ratio,
                "low": smallest.low,
                "high": smallest.high,
                "studies": sum(studies for _, _, studies in tried),
                "tried": [[math.exp(at), hits, studies] for at, hits, studies in sorted(tried)],
            }
    return made


def _calibration(made: Calibration | None) -> dict[str, object]:
    if made is None:
        return {}
    told: dict[str, object] = {"periods": made.periods, "events": made.events}
    like = made.likeness
    if like is not None:
        numbers = {
            "places": len(like.levels),
            "mean_level": float(like.levels.mean()),
            "smallest_level": float(like.levels.min()),
            "largest_level": float(like.levels.max()),
            "season_largest_over_smallest": float(like.path.max() / like.path.min()),
            "town_sd": like.town_sd,
            "town_memory": like.town_memory,
            "own_sd": like.own_sd,
            "own_memory": like.own_memory,
            "excess": like.excess,
        }
        told |= {name: float(f"{value:.6g}") for name, value in numbers.items()}
    return told
