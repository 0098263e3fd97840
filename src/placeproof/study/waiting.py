"""How long work still takes, for people and for logs; an estimate from what was done so far."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

FIRST_LINE_S = 10.0
EVERY_S = 30.0

Progress = Callable[[str, int, int], None]


@contextmanager
def estimated(unit: str) -> Iterator[Progress]:
    """
    Tell on the standard error stream what is done and how long the rest takes.

    Parameters
    ----------
    unit : str
        "bytes", or what is counted.

    Yields
    ------
    callable
        Takes what is being done, what is done of it, and all of it. In a terminal it draws a bar;
        elsewhere it writes a line now and then, if the work is long.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(unit)
        return
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    done_of = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        done_of,
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def step(doing: str, done: int, of: int) -> None:
            bar.update(task, description=_short(doing), completed=done, total=max(of, 1))

        yield step


class _Lines:
    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.began = time.monotonic()
        self.start: int | None = None
        self.next = self.began + FIRST_LINE_S

    def __call__(self, doing: str, done: int, of: int) -> None:
        now = time.monotonic()
        if self.start is None:
            self.start, self.began = done, now  # what an earlier run did says nothing of speed
        if now < self.next or done <= self.start or done >= of:
            return
        self.next = now + EVERY_S
        left_s = (now - self.began) * (of - done) / (done - self.start)
        print(f"{doing}: {done / of:.0%}, about {words(left_s)} left", file=sys.stderr, flush=True)


def words(seconds: float) -> str:
    """
    A length of time as people say it.

    Parameters
    ----------
    seconds : float
        Seconds.
    """
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _short(text: str) -> str:
    return text if len(text) <= 30 else f"{text[:29]}…"
