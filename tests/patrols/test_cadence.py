"""How often a device reports, told from what is inside hot spots alone, against known truth."""

from itertools import product

import numpy as np
import polars as pl
import pytest

from placeproof.patrols.cadence import unseen_s, usual_interval_s
from placeproof.patrols.outline_index import OutlineIndex, degrees_e7
from placeproof.patrols.stays import Stays, stays_of, usual_intervals

from .conftest import hotspots, pings

INTERVALS_S = (10, 30, 60, 300)
HOURS = 60
LONGEST_GAP_S = 900.0
INDEX = OutlineIndex.of(hotspots())


def edge_walkers(
    jitter: float, lost: float, stays_on_its_side: float
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Devices that report for some tours and hop over the fence of H01 again and again."""
    rng = np.random.default_rng(20)
    here = pings(("d", 0, 10, 100), ("d", 0, -10, 100))
    x, y = degrees_e7(here["longitude_deg"]), degrees_e7(here["latitude_deg"])
    columns = []
    for code, every in enumerate(INTERVALS_S):
        tick = np.arange(HOURS * 3600 // every)
        at = 1_714_766_400.0 + (tick + rng.normal(0, jitter, len(tick))) * every
        outside = np.cumsum(rng.random(len(tick)) > stays_on_its_side) % 2
        kept = rng.random(len(tick)) >= lost
        columns.append([np.full(len(tick), code), at * 1e6, x[outside], y[outside]])
        columns[-1] = [column[kept] for column in columns[-1]]
    device, at, x, y = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    track = {
        "device": device.astype(np.int32),
        "at": at.astype(np.int64),
        "longitude_e7": x,
        "latitude_e7": y,
    }
    return track, [f"every {every} s" for every in INTERVALS_S]


def found(track: dict[str, np.ndarray], rows: np.ndarray) -> Stays:
    some = {name: column[rows] for name, column in track.items()}
    return stays_of(INDEX, **some, ticks_per_second=1_000_000, longest_gap_s=LONGEST_GAP_S)


def told(parts: list[Stays], names: list[str]) -> pl.DataFrame:
    merged = Stays.merge(parts, longest_gap_s=LONGEST_GAP_S)
    return usual_intervals(merged, names, longest_gap_s=LONGEST_GAP_S)


@pytest.mark.parametrize(
    ("jitter", "lost", "stays_on_its_side"),
    [*product((0.0, 0.1), (0.0, 0.1), (1.0, 0.8, 0.5)), (0.2, 0.2, 0.8)],
)
def test_interval_of_a_device_that_hops_over_the_fence(
    jitter: float, lost: float, stays_on_its_side: float
) -> None:
    track, names = edge_walkers(jitter, lost, stays_on_its_side)
    intervals = told([found(track, np.arange(len(track["at"])))], names)
    truth = dict(zip(names, INTERVALS_S, strict=True))
    for name, interval, unseen in intervals.select(
        "device_id", "interval_s", "unseen_s"
    ).iter_rows():
        assert interval == pytest.approx(truth[name], rel=0.2)
        assert 0.99 * interval <= unseen <= 1.501 * interval
    assert len(intervals) == len(names)


def test_order_repeats_and_splits_change_no_interval() -> None:
    track, names = edge_walkers(0.1, 0.1, 0.8)
    rows = np.arange(len(track["at"]))
    expected = told([found(track, rows)], names)
    rng = np.random.default_rng(3)
    for _ in range(5):
        mixed = rng.permutation(np.concatenate([rows, rng.choice(rows, len(rows) // 2)]))
        parts = np.array_split(mixed, rng.integers(1, 9))
        assert told([found(track, part) for part in parts], names).equals(expected)


def counts(*gaps: tuple[int, int]) -> np.ndarray:
    often = np.zeros((1, 400))
    for gap_s, times in gaps:
        often[0, gap_s] = times
    return often


@pytest.mark.parametrize(
    ("gaps", "interval", "unseen"),
    [
        ([(60, 50)], 60, 60),
        ([(7, 50), (8, 50)], 7.5, (49 + 64) / 15),
        # One in ten lost: Σ gap² / Σ gap.
        ([(30, 90), (60, 9), (90, 1)], 30, 30 * (90 + 36 + 9) / (90 + 18 + 3)),
        # So many steps outside are no loss: 1.5 intervals and no more.
        ([(30, 40), (60, 30), (90, 30)], 30, 45),
        # Some odd extra reports are not the interval.
        ([(2, 10), (60, 90)], 60, (10 * 4 + 90 * 3600) / (20 + 5400)),
    ],
)
def test_intervals_by_hand(gaps: list[tuple[int, int]], interval: float, unseen: float) -> None:
    usual = usual_interval_s(counts(*gaps))
    assert usual.tolist() == [interval]
    assert unseen_s(counts(*gaps), usual)[0].tolist() == pytest.approx([unseen])


def test_error_of_regular_reports_is_that_of_two_waits() -> None:
    regular = counts((60, 50))
    assert unseen_s(regular, usual_interval_s(regular))[1].tolist() == pytest.approx([60 / 6**0.5])


def test_no_gap_tells_nothing() -> None:
    none = np.zeros((2, 91))
    usual = usual_interval_s(none)
    assert np.isnan(usual).all()
    assert np.isnan(np.array(unseen_s(none, usual))).all()
    assert usual_interval_s(np.zeros((0, 91))).shape == (0,)
