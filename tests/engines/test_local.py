"""All cores of this machine: the same visits however files are cut, repeated, or interrupted."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import shapely

from placeproof import files
from placeproof.engines.found import Found
from placeproof.engines.local import run_local
from placeproof.errors import InputError, OutputError, SettingsError
from placeproof.files import packed, packing
from placeproof.files.feed import FeedSpec
from placeproof.patrols.outline_index import OutlineIndex
from placeproof.patrols.stays import to_frame
from placeproof.study import following, position_files, visit_files, visiting
from placeproof.study.exports import ANY_TIME

COLUMNS = {"device_id": "radio", "at": "time", "longitude_deg": "lon", "latitude_deg": "lat"}
GAP_S = 90.0


def index() -> OutlineIndex:
    boxes = [
        shapely.box(-1.1302 + 0.004 * n, 52.6298, -1.1272 + 0.004 * n, 52.6318) for n in range(6)
    ]
    nothing = [None] * len(boxes)
    return OutlineIndex.of_degrees([f"H{n}" for n in range(6)], boxes, nothing, nothing)


def walks(seed: int, devices: int = 12, steps: int = 3_000) -> pl.DataFrame:
    """Devices that wander about the hot spots, a position every 10 seconds, some of them lost."""
    rng = np.random.default_rng(seed)
    parts = []
    for device in range(devices):
        kept = rng.random(steps) > 0.1
        x = -1.12 + np.cumsum(rng.normal(0, 2e-4, steps)) % 0.03
        y = 52.63 + np.cumsum(rng.normal(0, 1e-4, steps)) % 0.004
        parts.append(
            pl.DataFrame(
                {
                    "radio": [f"R{device}"] * steps,
                    "time": np.datetime64("2021-07-26T18:00:00", "us")
                    + (np.arange(steps) * 10_000_000).astype("timedelta64[us]"),
                    "lon": x,
                    "lat": y,
                }
            ).filter(pl.Series(kept))
        )
    return pl.concat(parts).with_columns(pl.col("time").dt.replace_time_zone("UTC"))


def spec_of(*paths: Path) -> FeedSpec:
    return FeedSpec("pings", "ping", "auto", paths, columns=COLUMNS)


def pack(folder: Path, *frames: pl.DataFrame, run_rows: int = 4_000) -> Path:
    paths: list[Path] = []
    folder.parent.mkdir(exist_ok=True)
    for number, frame in enumerate(frames):
        paths.append(folder.with_name(f"{folder.name}-{number}.parquet"))
        frame.write_parquet(paths[-1])
    packing.pack(
        spec_of(*paths),
        folder,
        surroundings=ANY_TIME,
        progress=lambda _doing, _done, _of: None,
        run_rows=run_rows,
    )
    return folder


def visits_of(*paths: Path, spec: FeedSpec | None = None, threads: int = 2) -> pl.DataFrame:
    found = visiting.visits_of_sources(
        position_files.positions_in(paths, spec),
        index(),
        longest_gap_s=GAP_S,
        shortest_dwell_s=0,
        threads=threads,
    )
    return found.visits


def plainly(frame: pl.DataFrame) -> pl.DataFrame:
    """Stays by polars and shapely, one outline at a time, on positions as they are packed."""
    placed = frame.with_columns(
        x=pl.Series(np.rint(frame["lon"].to_numpy() * 1e7)) / 1e7,
        y=pl.Series(np.rint(frame["lat"].to_numpy() * 1e7)) / 1e7,
    )
    parts = []
    for n in range(6):
        low = round((-1.1302 + 0.004 * n) * 1e7) / 1e7
        high = round((-1.1272 + 0.004 * n) * 1e7) / 1e7
        inside = placed.filter(
            pl.col("x").is_between(low, high), pl.col("y").is_between(52.6298, 52.6318)
        )
        parts.append(inside.select("radio", "time", spot=pl.lit(f"H{n}")))
    silence = pl.col("time").diff().over("radio", "spot").dt.total_microseconds() / 1e6
    return (
        pl.concat(parts)
        .unique()
        .sort("radio", "spot", "time")
        .with_columns(run=(silence.is_null() | (silence > GAP_S)).cum_sum())
        .group_by("run", "radio", "spot", maintain_order=True)
        .agg(first=pl.col("time").min(), last=pl.col("time").max())
        .select("radio", "spot", "first", "last")
        .sort("radio", "spot", "first")
    )


def test_the_visits_are_those_of_a_plain_count(tmp_path: Path) -> None:
    frame = walks(1)
    found = visits_of(pack(tmp_path / "packed", frame))
    expected = plainly(frame)
    assert expected.height > 100
    assert found.select("device_id", "hotspot_id", "arrived_at", "left_at").rows() == (
        expected.rows()
    )


def test_files_threads_order_and_form_change_nothing(tmp_path: Path) -> None:
    frame = walks(2)
    whole = visits_of(pack(tmp_path / "whole", frame))
    assert whole.height > 100
    halves = pack(
        tmp_path / "halves", frame.filter(pl.int_range(pl.len()) % 2 == 0), frame[1::2], run_rows=99
    )
    assert visits_of(halves, threads=1).equals(whole)
    shuffled = pack(tmp_path / "shuffled", frame.sample(fraction=1.0, shuffle=True, seed=3))
    assert visits_of(shuffled, threads=3).equals(whole)
    plain = tmp_path / "plain.parquet"
    frame.sample(fraction=1.0, shuffle=True, seed=4).write_parquet(plain)
    assert visits_of(plain, spec=spec_of(plain)).equals(whole)
    text = tmp_path / "plain.csv"
    frame.with_columns(pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).write_csv(text)
    assert visits_of(text, spec=spec_of(text)).equals(whole)


def test_overlapping_extracts_with_repeated_rows(tmp_path: Path) -> None:
    frame = walks(3)
    whole = visits_of(pack(tmp_path / "whole", frame))
    early, late = frame.filter(pl.int_range(pl.len()) < 20_000), frame[15_000:]
    one = pack(tmp_path / "weeks" / "one", pl.concat([early, early[:500]]))
    two = pack(tmp_path / "weeks" / "two", late.sample(fraction=1.0, shuffle=True, seed=1))
    assert visits_of(one, two).equals(whole)
    assert visits_of(two, one).equals(whole)
    assert visits_of(tmp_path / "weeks").equals(whole)
    lost = tmp_path / "rest.parquet"
    late.write_parquet(lost)
    assert visits_of(one, lost, spec=spec_of(lost)).equals(whole)


def test_crossings_by_groups_of_devices(tmp_path: Path) -> None:
    from placeproof.patrols.crossings import CrossingRules, crossings_of

    frame = walks(5, devices=40, steps=250)
    folder = pack(tmp_path / "packed", frame, run_rows=2_000)
    rules = CrossingRules(
        longest_gap_s=GAP_S, shortest_dwell_s=0, exit_after_s=30, fastest_m_s=70,
        foot_fastest_m_s=2.5, default_accuracy_m=10.0, worst_accuracy_m=200,
        smallest_presence=0.5, usual_stay_s=None, error_lasts_s=30, still_after_s=3_600,
        still_within_m=30,
    )  # fmt: skip
    positions = position_files.positions_in([folder], None)
    by_device = [
        following.visits_by_crossing(positions, index(), rules=rules, pings_at_a_time=most)
        for most in (1, 3_000, 10**9)
    ]
    path = tmp_path / "packed-0.parquet"
    pings = files.read(spec_of(path), ANY_TIME).tables["ping"]
    whole = crossings_of(pings, index(), premises=None, rules=rules)
    assert whole.visits.height > 20
    for found in by_device:
        assert found.visits.equals(whole.visits)
        assert found.cleaned is not None
        assert found.cleaned.equals(whole.cleaned.select(found.cleaned.columns))
    plain = position_files.positions_in([path], spec_of(path))
    assert following.visits_by_crossing(plain, index(), rules=rules).visits.equals(whole.visits)


def test_coverage_is_known_without_reading_positions(tmp_path: Path) -> None:
    frame = walks(6)
    one = pack(tmp_path / "one", frame[:20_000])
    two = pack(tmp_path / "two", frame[15_000:])
    found = visiting.visits_of_sources(
        position_files.positions_in([one, two], None),
        index(),
        longest_gap_s=GAP_S,
        shortest_dwell_s=0,
    )
    from placeproof.calendar import operating_day

    days = frame.select(
        device_id="radio", operating_day=operating_day(pl.col("time"))
    ).unique()  # fmt: skip
    assert found.device_days is not None
    assert found.device_days.drop("pings").equals(days.sort("device_id", "operating_day"))
    assert found.observed_days is not None
    assert found.observed_days.to_list() == sorted(set(days["operating_day"]))


def test_the_cut_off_of_a_study_holds(tmp_path: Path) -> None:
    frame = walks(7)
    folder = pack(tmp_path / "packed", frame)
    cut = date(2021, 7, 26)
    found = visiting.visits_of_sources(
        position_files.positions_in([folder], None, replace(ANY_TIME, cut_off=cut)),
        index(),
        longest_gap_s=GAP_S,
        shortest_dwell_s=0,
    )
    early = frame.filter(pl.col("time").dt.convert_time_zone("Europe/London").dt.date() <= cut)
    assert 0 < early.height < frame.height
    assert found.visits.select("device_id", "hotspot_id", "arrived_at", "left_at").rows() == (
        plainly(early).rows()
    )


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from placeproof.engines.found import Found
from placeproof.engines.local import run_local
from placeproof.files import packed
from tests.engines.test_local import index, watched
run_local(
    packed.open_packed(Path(sys.argv[2])).sources, watched, index(), longest_gap_s=90.0,
    threads=8, checkpoint=Path(sys.argv[3]),
)
"""
READ: list[str] = []


def watched(source: packed.Source) -> Iterator[packed.Batch]:
    """The packed reader, which keeps count; in the process that is killed it takes its time."""
    READ.append(source.path)
    yield from packed.read(source)
    time.sleep(float(os.environ.get("PLACEPROOF_TEST_PAUSE_S", "0")) * source.bucket)


@pytest.mark.skipif(os.name == "nt", reason="signals are a matter of Unix")
def test_a_run_that_is_killed_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    folder = pack(tmp_path / "packed", walks(8, devices=60, steps=300))
    sources = packed.open_packed(folder).sources
    assert len(sources) > 20
    once = run_local(sources, watched, index(), longest_gap_s=GAP_S, threads=2)
    kept = tmp_path / "pieces"
    root = Path(__file__).resolve().parents[2]
    words = [sys.executable, "-c", SCRIPT, str(root), str(folder), str(kept)]
    environment = {
        **os.environ, "PYTHONPATH": str(root / "src"), "PLACEPROOF_TEST_PAUSE_S": "0.1",
    }  # fmt: skip
    with subprocess.Popen(words, env=environment) as process:
        until = time.monotonic() + 60
        while not list(kept.glob("*/piece-*.npz")) and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert list(kept.glob("*/piece-*.npz"))

    def again(longest_gap_s: float) -> Found:
        READ.clear()
        return run_local(
            sources, watched, index(), longest_gap_s=longest_gap_s, threads=2, checkpoint=kept
        )

    found = again(GAP_S)
    assert 0 < len(READ) < len(sources)
    names = list(index().hotspot_ids)
    assert to_frame(found.stays, found.device_ids, names).equals(
        to_frame(once.stays, once.device_ids, names)
    )
    again(GAP_S)
    assert READ == []
    again(GAP_S + 1)
    assert len(READ) == len(sources)


def test_a_damaged_file_ends_the_run(tmp_path: Path) -> None:
    folder = pack(tmp_path / "packed", walks(9))
    source = packed.open_packed(folder).sources[3]
    raw = bytearray(Path(source.path).read_bytes())
    raw[80] ^= 0x55
    Path(source.path).write_bytes(raw)
    with pytest.raises(InputError, match="is damaged"):
        visits_of(folder)


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    folder = pack(tmp_path / "packed", walks(9, devices=3, steps=300))
    found = visiting.visits_of_sources(
        position_files.positions_in([folder], None),
        index(),
        longest_gap_s=GAP_S,
        shortest_dwell_s=0,
    )
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        visit_files.write_visits(found, blocked / "visits.parquet")
    with pytest.raises(OutputError, match="cannot be written"):
        visiting.visits_of_sources(
            position_files.positions_in([folder], None), index(), longest_gap_s=GAP_S,
            shortest_dwell_s=0, checkpoint=blocked / "pieces",
        )  # fmt: skip
    target = tmp_path / "visits.parquet"
    visit_files.write_visits(found, target)
    assert pl.read_parquet(target).equals(found.visits)
    metadata = pl.read_parquet_metadata(target)
    assert metadata["placeproof.table"] == "visit"
    assert json.loads(metadata["placeproof.visits"])["path"] == "order_free"
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_choices_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    folder = pack(tmp_path / "packed", walks(9, devices=3, steps=300))
    positions = position_files.positions_in([folder], None)
    for gap, dwell in ((0.0, 0.0), (90.0, -1.0)):
        with pytest.raises(SettingsError, match="longest gap"):
            visiting.visits_of_sources(
                positions, index(), longest_gap_s=gap, shortest_dwell_s=dwell
            )
    with pytest.raises(SettingsError, match="no engine"):
        visiting.visits_of_sources(
            positions, index(), longest_gap_s=90, shortest_dwell_s=0, engine="dask"
        )
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="without packed positions"):
        position_files.positions_in([empty], None)


def test_progress_is_honest(tmp_path: Path) -> None:
    folder = pack(tmp_path / "packed", walks(10))
    sources = packed.open_packed(folder).sources
    total = sum(source.rows for source in sources)
    said: list[tuple[int, int]] = []
    run_local(
        sources, packed.read, index(), longest_gap_s=GAP_S, threads=2,
        progress=lambda done, of: said.append((done, of)),
    )  # fmt: skip
    assert [done for done, _ in said] == sorted(done for done, _ in said)
    assert said[-1] == (total, total)
    assert {of for _, of in said} == {total}


def test_a_packed_feed_of_a_study(tmp_path: Path) -> None:
    from placeproof.study.reading import read_all
    from placeproof.study.settings import read_study

    frame = walks(11)
    (tmp_path / "data").mkdir()
    pack(tmp_path / "data" / "packed", frame[:20_000])
    frame[15_000:].write_parquet(tmp_path / "data" / "rest.parquet")
    (tmp_path / "study.toml").write_text(
        'schema = 1\n[study]\nname = "S"\nforce = "F"\nstart = 2021-01-01\ncut_off = 2021-12-31\n'
        '[data.radios]\ncontract = "ping"\nformat = "packed"\nfiles = ["packed"]\n'
        '[data.rest]\ncontract = "ping"\nfiles = ["rest.parquet"]\n[data.rest.columns]\n'
        + "\n".join(f'{ours} = "{theirs}"' for ours, theirs in COLUMNS.items())
    )
    study = read_study(tmp_path)
    inputs = read_all(study, lambda _doing, _done, _of: None)
    rows = {one["feed"]: one for one in inputs.result.receipts.iter_rows(named=True)}
    assert rows["radios"]["rows_kept"] == 20_000
    assert rows["radios"]["path"].startswith("data/packed, packed from ")
    assert str(tmp_path) not in " ".join(inputs.result.receipts["path"])
    assert len(inputs.sha256s("ping")) == 2
    positions = position_files.positions_of_study(study, inputs.get("ping"))
    assert positions is not None
    found = visiting.visits_of_sources(positions, index(), longest_gap_s=GAP_S, shortest_dwell_s=0)
    assert found.visits.equals(visits_of(pack(tmp_path / "whole", frame)))
    assert found.facts["pings"] == 20_000 + frame.height - 15_000
    assert found.observed_days is not None
    assert found.observed_days.to_list() == [date(2021, 7, 26), date(2021, 7, 27)][:1]
    (tmp_path / "data" / "packed" / packed.FACTS).unlink()
    broken = read_all(study, lambda _doing, _done, _of: None)
    assert "no whole folder" in " ".join(broken.result.notices["message"])
