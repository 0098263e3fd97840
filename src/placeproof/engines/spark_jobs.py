"""Pieces of work go to the executors of a Spark cluster, results come back as they are ready.

Each piece is a job of one task, started from a thread of its own, so that its result can be kept
the moment it is there. An executor that is lost loses only the piece at hand, which Spark then
gives to another.
"""

import re
import socket
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, TypeVar

from placeproof.engines.spark_cluster import Cluster, last_words
from placeproof.errors import KINDS, InputError, SettingsError, StudyError

NO_WORKER_FOR_S = 180.0
"""How long a job waits for workers that went away before it gives up."""
_LOOK_EVERY_S = 1.0
_MOST_AT_ONCE = 512

Piece = TypeVar("Piece")


@dataclass(frozen=True)
class Refusal:
    """A plain error of an executor on its way to the driver."""

    code: str
    message: str
    mend: str

    def error(self) -> StudyError:
        """The error, as it would have been raised here."""
        kind = next((kind for kind in KINDS if kind.code == self.code), StudyError)
        return kind(self.message, mend=self.mend)


@dataclass(frozen=True)
class Fault:
    """A fault of ours on its way to the driver, with its traceback."""

    trace: str

    def error(self) -> RuntimeError:
        """The fault, with what the executor knew of it."""
        return RuntimeError(f"An executor failed:\n{self.trace}")


@dataclass(frozen=True)
class Plainly:
    """Work on an executor whose errors come back as values: trying again would not mend them."""

    work: Callable[[Any], Any]

    def __call__(self, piece: Any) -> Any:
        """Work on one piece; a file that this computer cannot read is a plain error as well."""
        try:
            return self.work(piece)
        except StudyError as error:
            return Refusal(error.code, error.message, error.mend)
        except OSError as error:
            return Refusal(
                InputError.code,
                f"{error.filename or 'A file'} cannot be read on the worker "
                f"{socket.gethostname()}: {error.strerror or error}.",
                "put the positions where every worker finds them under the same path",
            )
        except MemoryError:
            raise  # another worker may have more
        except Exception:
            return Fault(traceback.format_exc())


def results(
    cluster: Cluster, work: Callable[[Piece], Any], pieces: Sequence[Piece]
) -> Iterator[tuple[int, Any]]:
    """
    Send pieces to the executors and hand back each result as soon as it is there.

    Parameters
    ----------
    cluster : Cluster
        A joined one.
    work : callable
        From a piece to its result; both travel, so they and the result can be pickled.
    pieces : sequence
        The first goes out first. Twice as many are under way as the cluster has cores.

    Yields
    ------
    tuple of int and result
        Which piece, and what came of it; in the order in which they are ready.

    Raises
    ------
    StudyError
        What an executor found wrong with a file; or the cluster went away, or gave up.
    """
    waiting = list(reversed(range(len(pieces))))
    under_way: dict[Future[Any], int] = {}
    last_seen = time.monotonic()
    pool = ThreadPoolExecutor(min(_MOST_AT_ONCE, len(pieces)) or 1, "spark-job")
    try:
        while waiting or under_way:
            room = min(_MOST_AT_ONCE, 2 * cluster.cores()) - len(under_way)
            for number in [waiting.pop() for _ in range(min(room, len(waiting)))]:
                under_way[pool.submit(_job, cluster, work, pieces[number])] = number
            ready, _ = wait(under_way, timeout=_LOOK_EVERY_S, return_when=FIRST_COMPLETED)
            for future in ready:
                yield under_way.pop(future), _outcome(cluster, future)
            last_seen = _watched(cluster, last_seen)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _job(cluster: Cluster, work: Callable[[Piece], Any], piece: Piece) -> Any:
    return cluster.context.parallelize([piece], 1).map(Plainly(work)).collect()[0]


def _outcome(cluster: Cluster, future: "Future[Any]") -> Any:
    error = future.exception()
    if error is not None:
        raise _explained(cluster, error) from None
    outcome = future.result()
    if isinstance(outcome, Refusal | Fault):
        raise outcome.error()
    return outcome


def _watched(cluster: Cluster, last_seen: float) -> float:
    """When a worker was last there; Spark itself would wait for one for ever."""
    now = time.monotonic()
    if cluster.ended():
        raise _gone(cluster)
    if cluster.workers() > 0:
        return now
    if now - last_seen > NO_WORKER_FOR_S:
        raise StudyError(
            f"All workers of {cluster.master} went away, and none came back within "
            f"{NO_WORKER_FOR_S:.0f} s.",
            mend="start workers and run again: with a checkpoint, finished pieces are not repeated",
        )
    return last_seen


def _gone(cluster: Cluster) -> StudyError:
    said = last_words(cluster.log)
    why = f" It said: {said}" if said else ""
    return StudyError(
        f"The Spark cluster {cluster.master} ended the job.{why}",
        mend="see the master's log; run again: with a checkpoint, finished pieces are not repeated",
    )


def _explained(cluster: Cluster, error: BaseException) -> BaseException:
    """What a user can mend as a plain error; a fault of ours with the executor's traceback."""
    from py4j.protocol import (  # type: ignore[import-untyped,unused-ignore]
        Py4JJavaError,
        Py4JNetworkError,
    )

    said = str(error)
    missing = re.search(r"ModuleNotFoundError: (No module named '[^']*')", said)
    versions = re.search(r"PYTHON_VERSION_MISMATCH\][^\n]*", said)
    if missing or versions:
        found = missing[1] if missing else versions[0] if versions else ""
        return SettingsError(
            f"The workers' Python is not that of this computer: {found}",
            mend="install the same Placeproof for the same Python under the same path on each"
            " worker, or set PYSPARK_PYTHON to it",
        )
    if "Cannot run program" in said:
        found = (re.search(r'Cannot run program "[^"]*"', said) or [said])[0]
        return SettingsError(
            f"The workers do not find Python: {found}",
            mend="install the same Python under the same path on each worker, or set"
            " PYSPARK_PYTHON to it",
        )
    if "ExecutorLostFailure" in said:
        return StudyError(
            "Spark gave up on a piece of the positions: workers died of it again and again.",
            mend="give workers more memory outside Java (about 1 GB for each core), or pack the"
            " positions into smaller files",
        )
    if isinstance(error, Py4JNetworkError | ConnectionError) or cluster.ended():
        return _gone(cluster)
    if isinstance(error, Py4JJavaError):
        trace = re.search(r"Traceback \(most recent call last\):.*?(?=\n\n|\n\tat )", said, re.S)
        return RuntimeError(f"An executor failed:\n{trace[0] if trace else said[:4000]}")
    return error
