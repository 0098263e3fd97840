"""What stands around a cluster: addresses, Java, the watcher, pieces, and what executors import."""

import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from placeproof.engines import pieces, spark_cluster, spark_ending, spark_needs
from placeproof.engines.checkpoint import Checkpoint
from placeproof.engines.found import Found, found_in, united
from placeproof.engines.pieces import collected, pieces_of
from placeproof.engines.spark_cluster import joined
from placeproof.engines.spark_needs import master_addresses
from placeproof.errors import OutputError, SettingsError, StudyError
from placeproof.files import packed, position_sources
from tests.engines import invented, light
from tests.engines.same import assert_identical

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 240.0


@pytest.fixture(scope="module")
def positions(tmp_path_factory: pytest.TempPathFactory) -> list[packed.Source]:
    return invented.write(tmp_path_factory.mktemp("positions"), files=8, rows=25_000)


@pytest.fixture(scope="module")
def of_one_machine(positions: list[packed.Source]) -> Found:
    batches = (batch for source in positions for batch in packed.read(source))
    return found_in(batches, invented.index(), longest_gap_s=invented.GAP_S)


def test_executors_import_nothing_heavy_and_compile_nothing_anew(
    positions: list[packed.Source], of_one_machine: Found
) -> None:
    """A new Python does with one piece what an executor does, and says what it has loaded."""
    assert len(of_one_machine.stays) > 500  # and the kernel is compiled and kept, if it can be
    question = pickle.dumps((packed.read, invented.index(), invented.GAP_S))
    words = [sys.executable, "-m", "tests.engines.light", *(one.path for one in positions[:2])]
    said = subprocess.run(
        words, input=question, cwd=ROOT, capture_output=True, timeout=PATIENCE_S, check=True
    ).stdout.decode()
    seen = light.Seen.from_text(said)
    assert seen.stays > 100
    assert seen.heavy == []
    assert seen.compiled_anew == 0


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
        spark_needs.java()
    assert "install Java 17" in error.value.mend
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(StudyError, match=r"JAVA_HOME is .*nowhere"):
        spark_needs.java()
    monkeypatch.delenv("JAVA_HOME")
    old = tmp_path / "java"
    old.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n", encoding="utf-8")
    old.chmod(0o755)
    with pytest.raises(StudyError, match="or newer; here is Java 8"):
        spark_needs.java()


def test_the_watcher_ends_what_outlives_its_driver_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark_ending, "LEAVE_WITHIN_S", 0)
    idle = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
    hung, other = subprocess.Popen(idle), subprocess.Popen(idle)
    try:
        for process, told in ((hung, None), (other, f"{other.pid} 1\n")):
            folder = tmp_path / "temporary"
            folder.mkdir()
            watcher = spark_ending.watch(folder)
            assert watcher is not None
            assert watcher.stdin is not None
            if told is None:
                spark_ending.tell(watcher, process.pid)
            else:  # the number was given to another process in the meantime
                watcher.stdin.write(told.encode())
            spark_ending.dismiss(watcher)
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
    monkeypatch.setattr(pieces, "SMALLEST_PIECE_BYTES", 16 * 2**20)
    larger = [replace(source, bytes=20 * 2**20) for source in positions]
    for files, cores, expected in (
        (larger, 1, 4),
        (larger, 2, 8),
        (larger, 100, 8),
        (positions, 1, 1),
        (positions, 2, 2),
    ):
        made = pieces_of(files[::-1], cores=cores)
        assert [source for piece in made for source in piece] == files
        assert len(made) == expected
    assert pieces_of([], cores=2) == []
    one_large = [replace(positions[0], bytes=2**40), *positions[1:]]
    assert len(pieces_of(one_large, cores=2)) == 2


def test_pieces_unite_in_any_grouping(
    positions: list[packed.Source], of_one_machine: Found, monkeypatch: pytest.MonkeyPatch
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
    ready = [((source,), part) for source, part in zip(positions, parts[:8], strict=True)]
    told: list[object] = []
    for at_once in (1, 4_000_000):
        monkeypatch.setattr(pieces, "_UNITE_AT", at_once)
        found = collected(ready, parts[8:], None, longest_gap_s=gap, finished=told.append)
        assert_identical(found, of_one_machine)
    assert told == [piece for piece, _ in ready] * 2


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
