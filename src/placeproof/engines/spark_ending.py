"""No process is left behind by a run on a cluster, and a signal ends it in good order.

Spark's Java process ends by itself when its standard input closes, which the system does for any
driver that dies, even one killed outright. A watcher stands behind that: a small process that
notices the driver's end in the same way and ends the Java process should it hang.
"""

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

LEAVE_WITHIN_S = 10.0
"""How long a process may take to end by itself."""
_ENDING_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")

_WATCHER = """
import os, shutil, signal, sys, time
said = sys.stdin.buffer.read().split()
def born(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rsplit(b")", 1)[1].split()[19].decode()
    except OSError:
        return "-"
def there(pid, since):
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return born(pid) == since
if said:
    pid, since = int(said[0]), said[1].decode()
    for patience, ending in ((int(sys.argv[2]), signal.SIGTERM), (5, signal.SIGKILL)):
        end = time.monotonic() + patience
        while there(pid, since) and time.monotonic() < end:
            time.sleep(0.2)
        if there(pid, since):
            os.kill(pid, ending)
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""
"""Reads until the driver is gone, then waits, asks, and in the end kills; only the one process
whose number and time of birth it was told. Run as a program of its own, so it imports nothing."""


def watch(folder: Path) -> "subprocess.Popen[bytes] | None":
    """
    Start the process that stands behind this one.

    Parameters
    ----------
    folder : Path
        Removed in the end.

    Returns
    -------
    Popen or None
        None on Windows, which has no such ends.
    """
    if sys.platform == "win32":
        return None
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _WATCHER, str(folder), str(int(LEAVE_WITHIN_S))],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a Ctrl-C that ends the driver must not end its watcher
    )


def tell(watcher: "subprocess.Popen[bytes] | None", pid: int) -> None:
    """
    Name the process that must not outlive this one.

    Parameters
    ----------
    watcher : Popen or None
        As `watch` gave it.
    pid : int
        A process that runs.
    """
    if watcher is None or watcher.stdin is None:
        return
    try:
        born = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[19]
    except OSError:
        born = "-"
    watcher.stdin.write(f"{pid} {born}\n".encode())
    watcher.stdin.flush()


def dismiss(watcher: "subprocess.Popen[bytes] | None") -> None:
    """
    Let the watcher do what is left to do, and wait for its end.

    Parameters
    ----------
    watcher : Popen or None
        As `watch` gave it.
    """
    if watcher is None or watcher.stdin is None:
        return
    watcher.stdin.close()
    watcher.wait()


@dataclass
class Signals:
    """Ends the run by an exception, so that every block on the way out is left properly."""

    before: dict[int, Any] = field(default_factory=dict)
    waiting: bool = False
    late: int | None = None

    def install(self) -> None:
        """Take over from whoever has the signals, if this is the thread that gets them."""
        if threading.current_thread() is not threading.main_thread():
            return
        for name in _ENDING_SIGNALS:
            number = getattr(signal, name, None)
            if number is not None:
                previous = signal.signal(number, self._received)
                self.before.setdefault(int(number), previous)

    def restore(self) -> None:
        """Give them back to whom they belonged."""
        for number, previous in self.before.items():
            signal.signal(number, previous)

    @contextlib.contextmanager
    def held_back(self) -> Iterator[None]:
        """While Java starts or ends nothing may break in; what came meanwhile is obeyed after."""
        self.waiting = True
        try:
            yield
        finally:
            self.waiting = False
        if self.late is not None:
            number, self.late = self.late, None
            self._end(number)

    def _received(self, number: int, frame: FrameType | None) -> None:
        if self.waiting:
            self.late = number
        else:
            self._end(number)

    @staticmethod
    def _end(number: int) -> None:
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)


@contextlib.contextmanager
def signals() -> Iterator[Signals]:
    """
    What ends this process leaves every block properly until this one ends.

    Yields
    ------
    Signals
    """
    ours = Signals()
    ours.install()
    try:
        yield ours
    finally:
        ours.restore()
