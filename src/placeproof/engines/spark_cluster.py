"""A Spark cluster that is joined, and left again with no process behind, whatever happens."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from placeproof.engines import spark_ending
from placeproof.engines.spark_ending import LEAVE_WITHIN_S
from placeproof.engines.spark_needs import java, master_addresses, pyspark_here, require_answer
from placeproof.errors import StudyError

WORKERS_WITHIN_S = 60.0
"""How long a cluster may take to give the job its first worker."""


@dataclass
class Cluster:
    """A joined cluster: the Spark context, and what has to be ended with it."""

    master: str
    context: Any
    gateway: Any
    log: Path

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
    pyspark_here()
    java()
    require_answer(master, addresses)
    folder = Path(tempfile.mkdtemp(prefix="placeproof-spark-"))
    watcher = spark_ending.watch(folder)
    cluster = None
    with spark_ending.signals() as signals:
        try:
            wanted = _settings(
                master, addresses, folder, executor_memory_mb=executor_memory_mb, more=settings
            )
            with signals.held_back():
                gateway = _launch(wanted, folder)
                spark_ending.tell(watcher, gateway.proc.pid)
            cluster = Cluster(master, None, gateway, folder / "java.log")
            _join(cluster, wanted)
            signals.install()
            yield cluster
        finally:
            with signals.held_back():
                _leave(cluster)
                spark_ending.dismiss(watcher)
                shutil.rmtree(folder, ignore_errors=True)


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
        **{
            f"spark.executorEnv.{name}": os.environ[name]
            for name in _KEPT_MACHINE_CODE
            if name in os.environ
        },
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
_KEPT_MACHINE_CODE = ("NUMBA_CACHE_DIR",)
"""Where a worker's user has no folder of its own to keep the kernel in: else it is compiled anew
in each executor."""


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
        polite.join(LEAVE_WITHIN_S)
    with contextlib.suppress(OSError):
        process.stdin.close()
    for ask in (lambda: None, process.terminate, process.kill):
        ask()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LEAVE_WITHIN_S)
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
