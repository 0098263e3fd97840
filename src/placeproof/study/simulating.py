"""Many invented studies over processes: resumable, and the same whatever the number of workers."""

import hashlib
import json
import math
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path

from placeproof.effects.certificate.judging import Score, Trial, judge
from placeproof.errors import StudyError
from placeproof.study.store import refusals_explained
from placeproof.study.waiting import Progress

Scores = dict[str, list[Score]]
"""Estimator to its scores, in the order of the studies."""

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Job:
    """A few studies of one outcome and one truth."""

    outcome: str
    rate_ratio: float
    methods: tuple[str, ...]
    first: int
    last: int
    """The study after its last."""

    @property
    def name(self) -> str:
        """What tells it from any other."""
        methods = ",".join(self.methods)
        return f"{self.outcome}|{self.rate_ratio!r}|{methods}|{self.first}|{self.last}"


def jobs(
    outcome: str, *, rate_ratio: float, methods: tuple[str, ...], studies: int, at_once: int
) -> list[Job]:
    """
    Cut many studies into jobs.

    Parameters
    ----------
    outcome : str
        Id of the outcome.
    rate_ratio : float
        The truth.
    methods : tuple of str
        Estimators.
    studies : int
        How many.
    at_once : int
        How many a job has, at most.

    Returns
    -------
    list of Job
        In the order of the studies.
    """
    return [
        Job(outcome, rate_ratio, methods, first, min(first + at_once, studies))
        for first in range(0, studies, at_once)
    ]


def simulate(
    wanted: Sequence[Job],
    trials: Mapping[str, Trial],
    *,
    seed: int,
    kept: Path,
    workers: int,
    progress: Progress,
    done: int,
    of: int,
) -> dict[str, Scores]:
    """
    Do the jobs that are not done yet, over processes.

    Parameters
    ----------
    wanted : sequence of Job
        What is to be done.
    trials : mapping of str to Trial
        By outcome.
    seed : int
        Where all chance starts. Each study has its own stream, whatever job it is in.
    kept : Path
        File in which jobs that were done are kept; one that was killed half-way is taken up.
    workers : int
        Processes.
    progress : callable
        Told after each job.
    done, of : int
        Jobs done before these, and jobs in all: for the progress.

    Returns
    -------
    dict of str to dict
        Name of the job to its scores.

    Raises
    ------
    StudyError
        If it was stopped by the keyboard: what is done is kept.
    """
    found = _kept(kept)
    open_jobs = [job for job in wanted if job.name not in found]
    told = done + len(wanted) - len(open_jobs)
    progress("inventing studies", told, of)
    if not open_jobs:
        return found
    kept.parent.mkdir(parents=True, exist_ok=True)
    with refusals_explained(kept), kept.open("a", encoding="utf-8", newline="\n") as file:
        for name, scores in _run(open_jobs, trials, seed, workers):
            found[name] = scores
            file.write(json.dumps({"job": name, "scores": _plain(scores)}) + "\n")
            file.flush()
            told += 1
            progress("inventing studies", told, of)
    return found


def _run(
    wanted: Sequence[Job], trials: Mapping[str, Trial], seed: int, workers: int
) -> Iterator[tuple[str, Scores]]:
    # Spawned, because forking a process that has threads may hang, and Windows has no fork.
    with (
        _one_thread_each(),
        ProcessPoolExecutor(
            max_workers=workers,
            mp_context=get_context("spawn"),
            initializer=_begin,
            initargs=(dict(trials), seed),
        ) as pool,
    ):
        waiting = iter(wanted)
        running: dict[Future[Scores], Job] = {}
        try:
            while True:
                while len(running) < 2 * workers and (job := next(waiting, None)):
                    running[pool.submit(_work, job)] = job
                if not running:
                    return
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    yield running.pop(future).name, future.result()
        except KeyboardInterrupt:
            for future in running:
                future.cancel()
            raise StudyError(
                "Stopped. The studies that were finished are kept.",
                mend="type the same command to go on from there",
            ) from None
        except BrokenProcessPool:
            raise StudyError(
                "A worker process was ended from outside, most likely for want of memory. The "
                "studies that were finished are kept.",
                mend="type the same command with fewer --workers to go on from there",
            ) from None


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Workers are spawned with one thread each: more would only wait for each other."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


_held: dict[str, Trial] = {}
_seed: list[int] = []


def _begin(trials: Mapping[str, Trial], seed: int) -> None:
    """Set a worker up: it leaves the keyboard to its parent, and does not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _held.update(trials)
    _seed.append(seed)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(job: Job) -> Scores:
    trial = _held[job.outcome]
    made: Scores = {name: [] for name in job.methods}
    for study in range(job.first, job.last):
        seed = (_seed[0], *_words(job.outcome), study)
        scores = judge(trial, rate_ratio=job.rate_ratio, methods=job.methods, seed=seed)
        for name, score in scores.items():
            made[name].append(score)
    return made


def _words(text: str) -> tuple[int, ...]:
    digest = hashlib.sha256(text.encode()).digest()
    return tuple(int.from_bytes(digest[i : i + 4], "big") for i in range(0, 16, 4))


def _plain(scores: Scores) -> dict[str, list[list[object]]]:
    return {
        name: [
            [_number(one.error), _number(one.standard_error), _number(one.reach),
             one.covered, one.found]
            for one in many
        ]
        for name, many in scores.items()
    }  # fmt: skip


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _kept(path: Path) -> dict[str, Scores]:
    """Jobs that an earlier attempt finished; a line that it could not finish is passed over."""
    if not path.is_file():
        return {}
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, encoding="utf-8", newline="\n")
    found = {}
    for line in whole.splitlines():
        try:
            read = json.loads(line)
            found[read["job"]] = {
                name: [_score(*values) for values in many] for name, many in read["scores"].items()
            }
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _score(
    error: float | None,
    standard_error: float | None,
    reach: float | None,
    covered: bool | None,
    found: bool | None,
) -> Score:
    none = math.nan
    return Score(
        none if error is None else error,
        none if standard_error is None else standard_error,
        none if reach is None else reach,
        covered,
        found,
    )
