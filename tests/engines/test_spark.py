"""A real Spark cluster on this computer gives what one machine gives, whatever is killed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from placeproof.cli import app
from placeproof.engines import pieces, spark_cluster, spark_jobs
from placeproof.engines.checkpoint import Checkpoint
from placeproof.engines.found import Found, found_in, united
from placeproof.engines.spark import FindStays, run_spark
from placeproof.engines.spark_cluster import joined
from placeproof.engines.spark_jobs import results
from placeproof.engines.spark_needs import java
from placeproof.errors import InputError, SettingsError, StudyError
from placeproof.files import packed
from tests.engines import invented, light
from tests.engines.cluster import Standalone, command, descendants, gone
from tests.engines.conftest import NO_JAVA
from tests.engines.same import assert_identical

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 240.0
"""On a computer that is busy with other work; on a quiet one each wait is a few seconds."""
ONE_CORE_EACH = {"spark.cores.max": "2"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    try:
        java()
    except StudyError:
        pytest.skip(NO_JAVA)
    folder = tmp_path_factory.mktemp("cluster")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "SMALLEST_PIECE_BYTES", 1)
        given = os.environ.get("PYTHONPATH", "")
        patch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{given}" if given else str(ROOT))
        # Executors of all tests share what Python makes of its sources, as on an installed worker.
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("PYTHONPYCACHEPREFIX", str(folder / "bytecode"))
        with Standalone(folder, cores=2) as cluster:
            yield cluster


@pytest.fixture(scope="module")
def positions(tmp_path_factory: pytest.TempPathFactory) -> list[packed.Source]:
    return invented.write(tmp_path_factory.mktemp("positions"), files=12, rows=20_000)


@pytest.fixture(scope="module")
def of_one_machine(positions: list[packed.Source]) -> Found:
    batches = (batch for source in positions for batch in packed.read(source))
    return found_in(batches, invented.index(), longest_gap_s=invented.GAP_S)


def test_killed_workers_and_executors_change_nothing(
    cluster: Standalone,
    positions: list[packed.Source],
    of_one_machine: Found,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With all workers gone the run says so; taken up again, it outlives a worker's end."""
    monkeypatch.setattr(spark_jobs, "NO_WORKER_FOR_S", 2.0)
    done: list[int] = []
    kept: list[int] = []

    def run(after: dict[int, Callable[[], None]]) -> Found:
        done.clear()

        def told(so_far: int, total: int) -> None:
            assert total == sum(source.rows for source in positions)
            done.append(so_far)
            after.get(len(done), lambda: None)()

        return run_spark(
            positions,
            invented.read_slowly,
            invented.index(),
            longest_gap_s=invented.GAP_S,
            master=cluster.master,
            checkpoint=tmp_path / "kept",
            progress=told,
            settings=ONE_CORE_EACH,
        )

    def kill_both_workers() -> None:
        for worker in list(cluster.processes[1:]):
            kept.extend(cluster.kill_worker(worker))

    with pytest.raises(StudyError, match=r"All workers of .* went away") as error:
        run({2: kill_both_workers})
    assert "with a checkpoint, finished pieces are not repeated" in error.value.mend
    assert gone(kept, within_s=PATIENCE_S)
    total = sum(source.rows for source in positions)
    before, rows_before = len(done), done[-1]
    assert len(list((tmp_path / "kept").rglob("piece-*.npz"))) == before
    assert rows_before < total

    monkeypatch.undo()
    cluster.start_workers()

    def kill_an_executor() -> None:
        os.kill(cluster.executors()[0], signal.SIGKILL)

    def kill_the_other_worker() -> None:
        kept.extend(cluster.kill_worker(cluster.processes[2]))

    found = run({1: kill_an_executor, 3: kill_the_other_worker})
    assert len(of_one_machine.stays) > 500
    assert_identical(found, of_one_machine)
    assert rows_before < done[0]
    assert done == sorted(done)
    assert done[-1] == total
    assert len(list((tmp_path / "kept").rglob("piece-*.npz"))) == before + len(done)
    assert gone(kept, within_s=PATIENCE_S)
    cluster.start_workers()
    assert _nothing_left(cluster, [])


def test_no_process_is_left_after_a_signal_and_what_was_done_is_kept(
    cluster: Standalone, positions: list[packed.Source], tmp_path: Path
) -> None:
    endings = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]
    drivers = [_start_driver(cluster, positions, tmp_path / ending.name) for ending in endings]
    started = [_brought_to_life(cluster, driver) for driver in drivers]
    for driver, ending in zip(drivers, endings, strict=True):
        driver.send_signal(ending)
    assert drivers[0].wait(PATIENCE_S) in (1, -signal.SIGINT)
    assert drivers[1].wait(PATIENCE_S) == 128 + signal.SIGTERM
    assert drivers[2].wait(PATIENCE_S) == -signal.SIGKILL
    assert _nothing_left(cluster, [pid for pids in started for pid in pids])
    for ending in endings:
        kept = Checkpoint.of(
            tmp_path / ending.name / "kept",
            invented.read_at_length,
            invented.index(),
            longest_gap_s=invented.GAP_S,
        )
        parts, left = kept.done(positions)
        assert parts
        assert 0 < len(left) < len(positions)
        finished = [source for source in positions if source not in left]
        batches = (batch for source in finished for batch in packed.read(source))
        expected = found_in(batches, invented.index(), longest_gap_s=invented.GAP_S)
        assert_identical(united(parts, longest_gap_s=invented.GAP_S), expected)


def test_the_command_gives_the_same_files_on_a_cluster(
    cluster: Standalone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    invented.write_export(Path("pings.csv"), rows=6_000)
    invented.write_outlines(Path("hotspots.geojson"))
    here = ["visits", "pings.csv", "packed", "--hotspots", "hotspots.geojson", "--json"]
    rule = ["--longest-gap-s", "90", "--shortest-dwell-s", "0"]
    said = {}
    _typed("pack", "pings.csv", "--to", "packed")
    for engine, folder in (("local", "one"), (cluster.master, "other")):
        answer = _typed(*here, *rule, "--to", folder, "--engine", engine)
        said[folder] = json.loads(answer)
    parts = sorted(path.relative_to("one") for path in Path("one").rglob("*.parquet"))
    assert [str(path.parent) for path in parts] == ["month=2021-06", "month=2021-07"]
    for part in parts:
        assert (Path("one") / part).read_bytes() == (Path("other") / part).read_bytes()
    assert said["one"]["visits"] == said["other"]["visits"] > 10
    assert said["other"]["rows_in"] == said["one"]["rows_in"] == 12_002
    assert said["other"]["rows_left_out"] == 2


def test_executors_are_light_and_what_is_wrong_on_a_worker_is_said_plainly(
    cluster: Standalone, positions: list[packed.Source], tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.parquet"
    whole = bytearray(Path(positions[0].path).read_bytes())
    whole[4:60_000] = b"\xff" * (60_000 - 4)
    damaged.write_bytes(whole)
    elsewhere = replace(positions[0], path=str(tmp_path / "elsewhere.parquet"))
    with joined(cluster.master, executor_memory_mb=512) as one:

        def find(read: object, source: packed.Source) -> None:
            work = FindStays(one.context.broadcast((read, invented.index(), invented.GAP_S)))
            list(results(one, work, [(source,)]))

        work = FindStays(one.context.broadcast((packed.read, invented.index(), invented.GAP_S)))
        ((_, seen),) = results(one, light.Seeing(work), [(positions[0],)])
        assert (seen.stays > 50, seen.heavy, seen.compiled_anew) == (True, [], 0)
        with pytest.raises(InputError, match=r"damaged\.parquet, .*row group 1 .*is damaged"):
            find(packed.read, replace(positions[0], path=str(damaged)))
        with pytest.raises(InputError, match=r"elsewhere\.parquet is not there on the worker"):
            find(packed.read, elsewhere)
        with pytest.raises(RuntimeError, match="ZeroDivisionError: a fault of ours in part-000"):
            find(invented.read_wrongly, positions[0])
        with pytest.raises(SettingsError, match="A Spark context already runs"):
            run_spark(
                positions,
                packed.read,
                invented.index(),
                longest_gap_s=invented.GAP_S,
                master=cluster.master,
            )


def test_a_cluster_without_room_is_not_waited_for(
    cluster: Standalone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark_cluster, "WORKERS_WITHIN_S", 1.0)
    with (
        pytest.raises(StudyError, match=r"(?s)gave the job no worker within 1 s.*at least 4000 MB"),
        joined(cluster.master, executor_memory_mb=4000),
    ):
        pass
    assert _nothing_left(cluster, [])


def _typed(*words: str) -> str:
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def _start_driver(
    cluster: Standalone, positions: list[packed.Source], folder: Path
) -> "subprocess.Popen[str]":
    """A run as a process of its own, on one core."""
    where = str(Path(positions[0].path).parent)
    words = [cluster.master, where, str(folder / "kept"), "1"]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.engines.driver", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _brought_to_life(cluster: Standalone, driver: "subprocess.Popen[str]") -> list[int]:
    """Every process of a driver that has finished its first piece, here and on the workers."""
    late = threading.Timer(PATIENCE_S, driver.kill)
    late.start()
    assert driver.stdout is not None
    assert driver.stdout.readline()
    late.cancel()
    here = descendants(driver.pid)
    assert any("java" in command(pid) for pid in here)
    executors = cluster.executors()
    assert executors
    return [*here, *executors, *(child for pid in executors for child in descendants(pid))]


def _nothing_left(cluster: Standalone, started: list[int]) -> bool:
    """All of a run's processes end, and the cluster itself goes on."""
    end = time.monotonic() + PATIENCE_S
    while cluster.executors() and time.monotonic() < end:
        time.sleep(0.1)
    return (
        gone(started, within_s=PATIENCE_S)
        and not cluster.executors()
        and all(process.poll() is None for process in cluster.processes)
    )
