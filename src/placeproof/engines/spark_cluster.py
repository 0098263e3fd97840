"""A Spark cluster that is joined, and left again with no process behind, whatever happens.

Spark's Java process ends by itself when its standard input closes, which the system does for any
driver that dies, even one killed outright. A watcher stands behind that: a small process that
notices the driver's end in the same way and ends the Java process should it hang.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from placeproof.errors import SettingsError, StudyError

OLDEST_JAVA = 17
ANSWER_WITHIN_S = 5.0
"""How long a master may take to accept a connection."""
WORKERS_WITHIN_S = 60.0
"""How long a cluster may take to give the job its first worker."""
_LEAVE_WITHIN_S = 10.0
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


@dataclass
class Cluster:
    """A joined cluster: the Spark context, and what has to be ended with it."""

    master: str
    context: Any
    gateway: Any
    log: Path
    watcher: "subprocess.Popen[bytes] | None"
    spare: dict[str, Any] = field(default_factory=dict)

    def workers(self) -> int:
        """How many executors the cluster gives at this moment."""
        return int(self.context._jsc.sc().getExecutorMemoryStatus().size()) - 1

    def cores(self) -> int:
        """How many tasks the cluster can work on at this moment; at least 1."""
        return max(1, int(self.context.defaultParallelism))

    def ended(self) -> bool:
        """Whether Spark's own process has ended, or has given up."""
        if self.gateway.proc.poll() is not None:
            return True
        return bool(self.context._jsc is None or self.context._jsc.sc().isStopped())


@contextlib.contextmanager
def joined(
    master: str, *, executor_memory_mb: int, settings: Mapping[str, str] | None = None
) -> Iterator[Cluster]:
    """
    Join a Spark cluster, and leave it when the block ends, also by a signal.

    Parameters
    ----------
    master : str
        `spark://host:port`; several masters of one cluster as `spark://host:port,host:port`.
    executor_memory_mb : int
        Java memory of each executor. Little is needed: positions never pass through Java.
    settings : Mapping of str to str, optional
        Spark's own settings; they go before ours.

    Yields
    ------
    Cluster
        With at least one worker.

    Raises
    ------
    SettingsError
        If `master` is not such an address, or PySpark is missing, or a Spark context already
        runs in this process.
    StudyError
        If Java is missing or too old, nobody answers at the address, or no worker comes.
    """
    addresses = master_addresses(master)
    _pyspark()
    java()
    _require_answer(master, addresses)
    folder = Path(tempfile.mkdtemp(prefix="placeproof-spark-"))
    watcher = _watch(folder)
    cluster = None
    with _signals() as signals:
        try:
            wanted = _settings(
                master, addresses, folder, executor_memory_mb=executor_memory_mb, more=settings
            )
            with signals.held_back():
                gateway = _launch(wanted, folder)
                _tell(watcher, gateway.proc.pid)
            cluster = Cluster(master, None, gateway, folder / "java.log", watcher)
            _join(cluster, wanted)
            signals.install()
            yield cluster
        finally:
            with signals.held_back():
                _leave(cluster)
                _dismiss(watcher)
                shutil.rmtree(folder, ignore_errors=True)


def master_addresses(master: str) -> list[tuple[str, int]]:
    """
    Read the address of a standalone Spark master.

    Parameters
    ----------
    master : str
        `spark://host:port`, or `spark://host:port,host:port`.

    Returns
    -------
    list of (str, int)
        Hosts and ports.

    Raises
    ------
    SettingsError
        If it is not such an address.
    """
    found = re.fullmatch(r"spark://(.+)", master.strip())
    parts = found[1].split(",") if found else []
    addresses = []
    for part in parts:
        one = re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):(\d{1,5})", part.strip())
        if one and 0 < int(one[2]) < 65536:
            addresses.append((one[1].strip("[]"), int(one[2])))
    if not addresses or len(addresses) != len(parts):
        raise SettingsError(
            f'"{master}" is not the address of a Spark master. Expected: spark://host:port.',
            mend='copy the address from the top of the master\'s web page, or use engine "local"',
        )
    return addresses


def java() -> Path:
    """
    Find the Java that Spark will use.

    Returns
    -------
    Path
        The program.

    Raises
    ------
    StudyError
        If there is none, or it is older than Spark needs.
    """
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    mend = f"install Java {OLDEST_JAVA} (a JRE is enough) and set JAVA_HOME, or use engine local"
    try:
        said = subprocess.run(
            [found or "java", "-version"], capture_output=True, text=True, timeout=60, check=False
        ).stderr
    except (OSError, subprocess.TimeoutExpired):
        where = f"JAVA_HOME is {home}, and no java runs there" if home else "none is on the PATH"
        raise StudyError(f"Spark needs Java {OLDEST_JAVA}: {where}.", mend=mend) from None
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    if not version or int(version[1]) < OLDEST_JAVA:
        age = f"Java {version[1]}" if version else "no Java that says its version"
        raise StudyError(f"Spark needs Java {OLDEST_JAVA} or newer; here is {age}.", mend=mend)
    return Path(found or "java")


def _pyspark() -> Any:
    try:
        # It warns about a pandas that we never hand to it.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pyspark
    except ImportError:
        raise SettingsError(
            "The engine is a Spark cluster, and PySpark is not installed here.",
            mend='install Placeproof with its extra "spark", or use engine "local"',
        ) from None
    if pyspark.SparkContext._active_spark_context is not None:
        raise SettingsError(
            "A Spark context already runs in this Python process.",
            mend="stop it first: the run joins the cluster by itself",
        )
    return pyspark


def _require_answer(master: str, addresses: list[tuple[str, int]]) -> None:
    """Asked first, because Spark itself would try for a minute."""
    reasons = []
    for host, port in addresses:
        try:
            socket.create_connection((host, port), timeout=ANSWER_WITHIN_S).close()
            return
        except OSError as error:
            reasons.append(f"{host}:{port}: {error.strerror or error}")
    raise StudyError(
        f"No Spark master answers at {master} ({'; '.join(reasons)}).",
        mend="start the master, or correct the address: its web page shows it at the top",
    )


def _settings(
    master: str,
    addresses: list[tuple[str, int]],
    folder: Path,
    *,
    executor_memory_mb: int,
    more: Mapping[str, str] | None,
) -> dict[str, str]:
    source = str(Path(__file__).resolve().parents[2])
    paths = [source, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    wanted = {
        "spark.master": master,
        "spark.app.name": "placeproof visits",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.local.dir": str(folder),
        "spark.driver.memory": "512m",
        "spark.executor.memory": f"{executor_memory_mb}m",
        "spark.task.maxFailures": "8",
        "spark.python.worker.reuse": "true",
        "spark.executorEnv.PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "spark.driver.extraJavaOptions": _LIGHT_JAVA,
        "spark.executor.extraJavaOptions": _LIGHT_JAVA,
        # One task is one core: a library that takes all cores in each task would only fight itself.
        **{f"spark.executorEnv.{name}": "1" for name in _ONE_THREAD},
    }
    if all(host in {"localhost", "::1"} or host.startswith("127.") for host, _ in addresses):
        wanted |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    return wanted | dict(more or {})


_LIGHT_JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
"""Java only carries intervals: its own compiler and collector would take cores from the kernel."""
_ONE_THREAD = (
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "ARROW_IO_THREADS",
)


def _launch(wanted: Mapping[str, str], folder: Path) -> Any:
    from pyspark.conf import SparkConf
    from pyspark.errors import PySparkRuntimeError
    from pyspark.java_gateway import launch_gateway

    log = folder / "java.log"
    conf = SparkConf(loadDefaults=False).setAll(list(wanted.items()))
    with log.open("wb") as out:
        try:
            return launch_gateway(conf, popen_kwargs={"stdout": out, "stderr": out})
        except (PySparkRuntimeError, OSError) as error:
            raise StudyError(
                f"Spark's Java process did not start. It said: {last_words(log)}",
                mend="mend what it names; JAVA_HOME and SPARK_HOME decide which are used",
            ) from error


def _join(cluster: Cluster, wanted: Mapping[str, str]) -> None:
    from py4j.protocol import Py4JError  # type: ignore[import-untyped,unused-ignore]
    from pyspark import SparkConf, SparkContext

    conf = SparkConf(loadDefaults=False, _jvm=None).setAll(list(wanted.items()))
    try:
        with warnings.catch_warnings(), _python_of_workers():
            warnings.simplefilter("ignore")
            cluster.context = SparkContext(conf=conf, gateway=cluster.gateway)
        end = time.monotonic() + WORKERS_WITHIN_S
        while cluster.workers() < 1 and not cluster.ended() and time.monotonic() < end:
            time.sleep(0.1)
        if cluster.workers() >= 1:
            return
    except (Py4JError, ConnectionError) as error:
        raise StudyError(
            f"The Spark master at {cluster.master} does not take the job. "
            f"Spark said: {last_words(cluster.log) or _first_line(error)}",
            mend="check that this is a standalone master, of the Spark version of this PySpark",
        ) from error
    raise StudyError(
        f"The Spark master at {cluster.master} gave the job no worker within "
        f"{WORKERS_WITHIN_S:.0f} s.",
        mend=f"start workers with at least {wanted['spark.executor.memory'].rstrip('m')} MB and one"
        " core free each, of the same Spark version; the master's web page lists them",
    )


@contextlib.contextmanager
def _python_of_workers() -> Iterator[None]:
    """The interpreter of this process, unless somebody chose: the context reads it only here."""
    given = os.environ.get("PYSPARK_PYTHON")
    os.environ["PYSPARK_PYTHON"] = given or sys.executable
    try:
        yield
    finally:
        if given is None:
            del os.environ["PYSPARK_PYTHON"]


def _leave(cluster: Cluster | None) -> None:
    """Politely first, so that the master frees the workers at once; then by closing the pipe."""
    if cluster is None:
        return
    from pyspark import SparkContext

    process = cluster.gateway.proc
    if process.poll() is None and cluster.context is not None:
        polite = threading.Thread(target=_stop, args=(cluster,), daemon=True)
        polite.start()
        polite.join(_LEAVE_WITHIN_S)
    with contextlib.suppress(OSError):
        process.stdin.close()
    for ask in (lambda: None, process.terminate, process.kill):
        ask()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_LEAVE_WITHIN_S)
            break
    # Spark keeps these for the life of the process, and would speak to a Java that is gone.
    SparkContext._active_spark_context = None
    SparkContext._gateway = None
    SparkContext._jvm = None


def _stop(cluster: Cluster) -> None:
    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cluster.context.stop()
        cluster.gateway.shutdown()


def _watch(folder: Path) -> "subprocess.Popen[bytes] | None":
    if sys.platform == "win32":
        return None
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _WATCHER, str(folder), str(int(_LEAVE_WITHIN_S))],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a Ctrl-C that ends the driver must not end its watcher
    )


def _tell(watcher: "subprocess.Popen[bytes] | None", pid: int) -> None:
    if watcher is None or watcher.stdin is None:
        return
    try:
        born = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[19]
    except OSError:
        born = "-"
    watcher.stdin.write(f"{pid} {born}\n".encode())
    watcher.stdin.flush()


def _dismiss(watcher: "subprocess.Popen[bytes] | None") -> None:
    if watcher is None or watcher.stdin is None:
        return
    watcher.stdin.close()
    watcher.wait()


def last_words(log: Path) -> str:
    """
    Find the last line of Spark's log that says what is wrong.

    Parameters
    ----------
    log : Path
        What Spark's Java process wrote.

    Returns
    -------
    str
        "" where it wrote nothing.
    """
    try:
        lines = log.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    telling = [line for line in lines if re.search(r"ERROR|Exception|rror:|not set|No such", line)]
    return (telling or lines or [""])[-1].strip()[:300]


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


@dataclass
class _Signals:
    """Ends the run by an exception, so that every block on the way out is left properly."""

    before: dict[int, Any] = field(default_factory=dict)
    waiting: bool = False
    late: int | None = None

    def install(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for name in _ENDING_SIGNALS:
            number = getattr(signal, name, None)
            if number is not None:
                previous = signal.signal(number, self._received)
                self.before.setdefault(int(number), previous)

    def restore(self) -> None:
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
def _signals() -> Iterator[_Signals]:
    signals = _Signals()
    signals.install()
    try:
        yield signals
    finally:
        signals.restore()
