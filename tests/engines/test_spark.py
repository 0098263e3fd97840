"""A real Spark cluster on this computer gives what one machine gives, whatever is killed."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from placeproof.cli import app
from placeproof.engines import spark, spark_cluster
from placeproof.engines.checkpoint import Checkpoint
from placeproof.engines.found import Found, found_in, united
from placeproof.engines.spark import FindStays, pieces_of, run_spark
from placeproof.engines.spark_cluster import joined, master_addresses
from placeproof.engines.spark_jobs import results
from placeproof.errors import InputError, OutputError, SettingsError, StudyError
from placeproof.files import packed, position_sources
from tests.engines import invented
from tests.engines.cluster import Standalone, command, descendants, gone
from tests.engines.conftest import NO_JAVA

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 240.0
"""On a computer that is busy with other work; on a quiet one each wait is a few seconds."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    try:
        spark_cluster.java()
    except StudyError:
        pytest.skip(NO_JAVA)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spark, "SMALLEST_PIECE_BYTES", 1)
        given = os.environ.get("PYTHONPATH", "")
        patch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{given}" if given else str(ROOT))
        with Standalone(tmp_path_factory.mktemp("cluster")) as cluster:
            yield cluster


@pytest.fixture(scope="module")
def positions(tmp_path_factory: pytest.TempPathFactory) -> list[packed.Source]:
    return invented.write(tmp_path_factory.mktemp("positions"), files=8, rows=100_000)


@pytest.fixture(scope="module")
def of_one_machine(positions: list[packed.Source]) -> Found:
    batches = (batch for source in positions for batch in packed.read(source))
    return found_in(batches, invented.index(), longest_gap_s=invented.GAP_S)


def assert_identical(one: Found, other: Found) -> None:
    assert one.device_ids == other.device_ids
    for part in fields(one.stays):
        value, theirs = getattr(one.stays, part.name), getattr(other.stays, part.name)
        if isinstance(value, np.ndarray):
            assert value.dtype == theirs.dtype
            assert value.tobytes() == theirs.tobytes(), part.name
        else:
            assert value == theirs


def test_a_killed_executor_changes_nothing(
    cluster: Standalone, positions: list[packed.Source], of_one_machine: Found
) -> None:
    killed: list[int] = []
    done: list[tuple[int, int]] = []

    def kill_one(so_far: int, total: int) -> None:
        done.append((so_far, total))
        if not killed:
            killed.append(cluster.executors()[0])
            os.kill(killed[0], signal.SIGKILL)

    found = run_spark(
        positions,
        invented.read_slowly,
        invented.index(),
        longest_gap_s=invented.GAP_S,
        master=cluster.master,
        progress=kill_one,
    )
    assert len(of_one_machine.stays) > 1_000
    assert_identical(found, of_one_machine)
    assert len(killed) == 1
    assert done == sorted(done)
    assert done[-1] == (sum(source.rows for source in positions),) * 2
    assert _nothing_left(cluster, [])


def test_no_process_is_left_after_a_signal(
    cluster: Standalone, positions: list[packed.Source], tmp_path: Path
) -> None:
    endings = [signal.SIGINT, signal.SIGTERM]
    drivers = [_start_driver(cluster, positions, tmp_path / ending.name) for ending in endings]
    started = [_brought_to_life(cluster, driver) for driver in drivers]
    for driver, ending in zip(drivers, endings, strict=True):
        driver.send_signal(ending)
    assert drivers[0].wait(PATIENCE_S) in (1, -signal.SIGINT)
    assert drivers[1].wait(PATIENCE_S) == 128 + signal.SIGTERM
    assert _nothing_left(cluster, [*started[0], *started[1]])


def test_a_driver_killed_outright_leaves_nothing_and_is_taken_up_again(
    cluster: Standalone, positions: list[packed.Source], of_one_machine: Found, tmp_path: Path
) -> None:
    driver = _start_driver(cluster, positions, tmp_path)
    started = _brought_to_life(cluster, driver)
    driver.kill()
    driver.wait()
    assert _nothing_left(cluster, started)
    before = set((tmp_path / "kept").rglob("piece-*.npz"))
    assert before
    done: list[int] = []
    found = run_spark(
        positions,
        invented.read_slowly,
        invented.index(),
        longest_gap_s=invented.GAP_S,
        master=cluster.master,
        checkpoint=tmp_path / "kept",
        progress=lambda so_far, total: done.append(so_far),
    )
    assert_identical(found, of_one_machine)
    assert len(done) == len(positions) - len(before)
    assert before < set((tmp_path / "kept").rglob("piece-*.npz"))


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


def test_what_is_wrong_on_a_worker_is_said_plainly(
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


@pytest.mark.parametrize(
    "wrong", ["local", "spark://", "spark://host", "host:7077", "spark://a:1,b", "spark://a:99999"]
)
def test_what_is_no_master_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match="is not the address of a Spark master"):
        master_addresses(wrong)


def test_masters_in_a_row() -> None:
    assert master_addresses("spark://one:7077,two:7078") == [("one", 7077), ("two", 7078)]
    assert master_addresses("spark://[::1]:7077") == [("::1", 7077)]


def test_nobody_at_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_cluster, "java", lambda: Path("java"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        master = f"spark://127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(StudyError, match="No Spark master answers"),
            joined(master, executor_memory_mb=512),
        ):
            pass


def test_no_java_and_old_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StudyError, match="needs Java 17: none is on the PATH") as error:
        spark_cluster.java()
    assert "install Java 17" in error.value.mend
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(StudyError, match=r"JAVA_HOME is .*nowhere"):
        spark_cluster.java()
    monkeypatch.delenv("JAVA_HOME")
    old = tmp_path / "java"
    old.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n", encoding="utf-8")
    old.chmod(0o755)
    with pytest.raises(StudyError, match="or newer; here is Java 8"):
        spark_cluster.java()


def test_the_watcher_ends_what_outlives_its_driver_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark_cluster, "_LEAVE_WITHIN_S", 0)
    idle = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
    hung, other = subprocess.Popen(idle), subprocess.Popen(idle)
    try:
        for process, told in ((hung, None), (other, f"{other.pid} 1\n")):
            folder = tmp_path / "temporary"
            folder.mkdir()
            watcher = spark_cluster._watch(folder)
            assert watcher is not None
            assert watcher.stdin is not None
            if told is None:
                spark_cluster._tell(watcher, process.pid)
            else:  # the number was given to another process in the meantime
                watcher.stdin.write(told.encode())
            spark_cluster._dismiss(watcher)
            assert not folder.exists()
        assert hung.wait(PATIENCE_S) == -signal.SIGTERM
        assert other.poll() is None
    finally:
        for process in (hung, other):
            process.kill()
            process.wait()


def test_pieces_hold_each_file_once(
    positions: list[packed.Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark, "SMALLEST_PIECE_BYTES", 16 * 2**20)
    larger = [replace(source, bytes=20 * 2**20) for source in positions]
    for files, cores, expected in (
        (larger, 1, 4),
        (larger, 2, 8),
        (larger, 100, 8),
        (positions, 1, 1),
        (positions, 2, 2),
    ):
        pieces = pieces_of(files[::-1], cores=cores)
        assert [source for piece in pieces for source in piece] == files
        assert len(pieces) == expected
    assert pieces_of([], cores=2) == []
    one_large = [replace(positions[0], bytes=2**40), *positions[1:]]
    assert len(pieces_of(one_large, cores=2)) == 2


def test_pieces_unite_in_any_grouping(
    positions: list[packed.Source], of_one_machine: Found
) -> None:
    parts = [
        found_in(packed.read(source), invented.index(), longest_gap_s=invented.GAP_S)
        for source in positions
    ]
    parts = [*parts[5:], parts[2], *parts[:5]]
    gap = invented.GAP_S
    halves = [united(parts[:4], longest_gap_s=gap), united(parts[4:], longest_gap_s=gap)]
    assert_identical(united(halves, longest_gap_s=gap), of_one_machine)
    assert len(united([], longest_gap_s=gap).stays) == 0


def test_only_whole_pieces_of_the_same_question_and_files_are_taken(
    positions: list[packed.Source], tmp_path: Path
) -> None:
    where = invented.index()
    here = tmp_path / "positions"
    shutil.copytree(Path(positions[0].path).parent, here)
    files = invented.sources_in(here)
    kept = Checkpoint.of(tmp_path / "kept", packed.read, where, longest_gap_s=90.0)
    for source in files[:3]:
        kept.keep([source], found_in(packed.read(source), where, longest_gap_s=90.0))
    found, left = kept.done(files)
    assert (len(found), left) == (3, files[3:])
    only = kept.done(files[:1])[0]
    assert_identical(only[0], found_in(packed.read(files[0]), where, longest_gap_s=90.0))
    other = Checkpoint.of(tmp_path / "kept", packed.read, where, longest_gap_s=91.0)
    assert other.done(files) == ([], files)
    until = position_sources.PackedReader(1_620_000_000)
    other = Checkpoint.of(tmp_path / "kept", until, where, longest_gap_s=90.0)
    assert other.done(files) == ([], files)
    pieces = sorted(kept.folder.glob("piece-*.npz"))
    pieces[0].write_bytes(pieces[0].read_bytes()[:-100])
    assert len(kept.done(files)[1]) == len(files) - 2
    for source in files[:3]:
        os.utime(source.path, (1, 1))
    assert kept.done(files) == ([], files)


def test_a_checkpoint_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="cannot be written"):
        Checkpoint.of(tmp_path / "file", packed.read, invented.index(), longest_gap_s=90.0)


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


def test_rows_of_exports_are_counted_once_whatever_is_taken_up(tmp_path: Path) -> None:
    where = invented.index()
    one = packed.Batch(
        device=np.zeros(3, np.int32),
        at=np.array([0, 10, 20], np.int64),
        longitude_e7=np.full(3, -11_880_000, np.int32),
        latitude_e7=np.full(3, 526_110_000, np.int32),
        ticks_per_second=1,
        device_ids=["car"],
        rows_in=5,
        rows_left_out=2,
    )
    none = replace(one, device=one.device[:0], at=one.at[:0], longitude_e7=one.longitude_e7[:0])
    none = replace(none, latitude_e7=one.latitude_e7[:0], rows_in=4, rows_left_out=4)
    found = found_in([one, none], where, longest_gap_s=90.0)
    assert (found.rows_in, found.rows_left_out, len(found.stays)) == (9, 6, 2)
    source = packed.Source("out of sight", 9, 100, 1, -1, "")
    kept = Checkpoint.of(tmp_path, packed.read, where, longest_gap_s=90.0)
    kept.keep([source], found)
    (again,), left = kept.done([source])
    assert left == []
    assert (again.rows_in, again.rows_left_out) == (9, 6)
    both = united([again, again], longest_gap_s=90.0)
    assert (both.rows_in, len(both.stays)) == (18, 2)
