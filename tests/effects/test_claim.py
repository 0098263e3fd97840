"""A before-and-after claim taken apart, held against a slow version and against known truth."""

import math

import numpy as np
import polars as pl
import pytest

from placeproof.effects.claim import taken_apart
from placeproof.effects.grid import grid
from tests.effects.panels import make_panel

SPOTS = ("hotspot", "comparison")


def table_of(counts: np.ndarray, starts: list[int | None], **more: object):  # type: ignore[no-untyped-def]
    made = grid(
        make_panel(counts, starts, **more),  # type: ignore[arg-type]
        outcome="planted",
        hours="all",
        kinds=SPOTS,
    )
    assert made is not None
    return made


def window(periods: int, first: int, last: int) -> np.ndarray:
    chosen = np.zeros(periods, dtype=bool)
    chosen[first : last + 1] = True
    return chosen


def a_study(seed: int = 1) -> tuple[np.ndarray, list[int | None]]:
    rng = np.random.default_rng(seed)
    level = rng.uniform(4, 12, 12)[:, None]
    season = (1 + 0.3 * np.sin(np.arange(36) / 6))[None, :]
    counts = rng.poisson(level * season).astype(float)
    return counts, [24, 24, 27, 27, *[None] * 8]


THEN, NOW = window(36, 12, 17), window(36, 28, 33)
ALL = np.ones(36, dtype=bool)


def test_the_three_factors_add_up_to_the_change() -> None:
    counts, starts = a_study()
    made = taken_apart(table_of(counts, starts), then=THEN, now=NOW, baseline=ALL, level=0.95)
    counted = counts[:4, 28:34].sum() / counts[:4, 12:18].sum()
    assert made.change.ratio == pytest.approx(counted, rel=1e-12)
    parts = made.elsewhere.log_ratio + made.luck.log_ratio + made.beyond.log_ratio
    assert parts == pytest.approx(made.change.log_ratio, abs=1e-12)
    assert made.expected_now / made.expected_then == pytest.approx(made.elsewhere.ratio, rel=1e-12)
    assert made.luck_share == pytest.approx(made.luck.log_ratio / made.change.log_ratio, rel=1e-9)


def slow_expectations(counts: np.ndarray, starts: list[int | None]) -> tuple[float, float]:
    """By an independent library: a Poisson regression with dummies on the untreated cells."""
    import statsmodels.api as sm

    n, periods = counts.shape
    rows, columns, used = [], [], []
    for i in range(n):
        for t in range(periods):
            start = starts[i]
            treated = start is not None and t >= start
            in_window = start is not None and (THEN[t] or NOW[t])
            rows.append(i)
            columns.append(t)
            used.append(not treated and not in_window)
    rows_, columns_, used_ = np.array(rows), np.array(columns), np.array(used)
    design = np.hstack([np.eye(n)[rows_], np.eye(periods)[columns_][:, 1:]])
    fitted = sm.GLM(counts.ravel()[used_], design[used_], family=sm.families.Poisson()).fit(
        tol=1e-12, maxiter=200
    )
    expected = fitted.predict(design).reshape(n, periods)
    spots = np.array([start is not None for start in starts])
    return expected[spots][:, THEN].sum(), expected[spots][:, NOW].sum()


def test_expectations_equal_those_of_an_independent_library() -> None:
    counts, starts = a_study(2)
    made = taken_apart(table_of(counts, starts), then=THEN, now=NOW, baseline=ALL, level=0.95)
    then, now = slow_expectations(counts, starts)
    assert made.expected_then == pytest.approx(then, rel=1e-6)
    assert made.expected_now == pytest.approx(now, rel=1e-6)


def test_regression_to_the_mean_is_found_where_nothing_else_happens() -> None:
    """Places are chosen for a high in the earlier window; patrols do nothing at all."""
    lucks, lefts, changes, held = [], [], [], []
    for seed in range(60):
        rng = np.random.default_rng([77, seed])
        counts = rng.poisson(rng.gamma(8, 0.75, 60)[:, None], (60, 36)).astype(float)
        # The highest 10 of 30 are chosen; the other 30 took no part in the choice.
        order = np.argsort(-counts[:30, 12:18].sum(axis=1))
        counts = np.vstack([counts[order[:10]], counts[30:]])
        starts: list[int | None] = [*[24] * 10, *[None] * 30]
        made = taken_apart(table_of(counts, starts), then=THEN, now=NOW, baseline=ALL, level=0.95)
        lucks.append(made.luck.log_ratio)
        lefts.append(made.beyond.log_ratio)
        changes.append(made.change.log_ratio)
        assert made.beyond.spread is not None
        held.append(made.beyond.spread.lower <= 0 <= made.beyond.spread.upper)
    assert np.mean(changes) < -0.05, "the choice makes a fall"
    error = np.std(lefts, ddof=1) / math.sqrt(len(lefts))
    assert abs(np.mean(lefts)) < 3.5 * error + 0.005
    assert np.mean(lucks) == pytest.approx(np.mean(changes), abs=0.02)
    assert np.mean(held) > 0.85


def test_a_true_effect_is_left_over() -> None:
    rng = np.random.default_rng(5)
    rate = np.full((20, 36), 60.0)
    rate[:8, 24:] *= 0.7
    counts = rng.poisson(rate).astype(float)
    made = taken_apart(
        table_of(counts, [*[24] * 8, *[None] * 12]), then=THEN, now=NOW, baseline=ALL, level=0.95
    )
    assert made.beyond.spread is not None
    assert math.exp(made.beyond.spread.lower) < 0.7 < math.exp(made.beyond.spread.upper)
    assert made.luck.log_ratio == pytest.approx(0, abs=0.06)
    assert made.patrolled_then == 0
    assert made.patrolled_now == 1


def test_windows_of_other_length_compare_rates() -> None:
    counts = np.full((6, 24), 10.0)
    made = taken_apart(
        table_of(counts, [12, 12, *[None] * 4]),
        then=window(24, 2, 3),
        now=window(24, 14, 19),
        baseline=np.ones(24, dtype=bool),
        level=0.95,
    )
    assert made.change.log_ratio == pytest.approx(0, abs=1e-12)
    assert made.elsewhere.log_ratio == pytest.approx(0, abs=1e-9)
    assert math.isnan(made.luck_share)


def test_a_patrolled_earlier_window_gives_no_share_of_chance() -> None:
    counts, starts = a_study(3)
    made = taken_apart(
        table_of(counts, starts), then=window(36, 25, 27), now=window(36, 30, 32), baseline=ALL,
        level=0.95,
    )  # fmt: skip
    assert made.patrolled_then > 0
    assert math.isnan(made.luck_share)


def test_hot_spots_chosen_in_the_earlier_window_keep_their_comparison() -> None:
    """The selection window is no baseline, yet comparison places say what happened in it."""
    counts, starts = a_study(4)
    made = taken_apart(table_of(counts, starts), then=THEN, now=NOW, baseline=~THEN, level=0.95)
    again = taken_apart(table_of(counts, starts), then=THEN, now=NOW, baseline=ALL, level=0.95)
    assert made.refusal is None
    assert made.expected_then == pytest.approx(again.expected_then, rel=1e-12)


@pytest.mark.parametrize(
    ("counts", "starts", "says"),
    [
        (np.full((3, 36), 5.0), [None, None, None], "No place was patrolled"),
        (np.full((3, 36), 5.0), [24, 24, 24], "no comparison place"),
        (np.zeros((4, 36)), [24, 24, None, None], "No event was counted"),
    ],
)
def test_what_cannot_be_said_is_said(
    counts: np.ndarray, starts: list[int | None], says: str
) -> None:
    made = taken_apart(table_of(counts, starts), then=THEN, now=NOW, baseline=ALL, level=0.95)
    assert says in str(made.refusal)
    assert math.isnan(made.change.log_ratio)


def test_a_month_that_was_not_supplied_is_not_zero() -> None:
    counts, starts = a_study(6)
    listed: list[list[float | None]] = counts.tolist()
    listed[0][14] = None
    made = taken_apart(
        table_of(listed, starts),  # type: ignore[arg-type]
        then=THEN, now=NOW, baseline=ALL, level=0.95,
    )  # fmt: skip
    assert "not supplied" in str(made.refusal)


def test_one_hot_spot_has_no_interval() -> None:
    counts, _ = a_study(7)
    made = taken_apart(
        table_of(counts[:6], [24, *[None] * 5]), then=THEN, now=NOW, baseline=ALL, level=0.95
    )
    assert made.refusal is None
    assert made.beyond.spread is None


def test_a_place_patrolled_from_the_first_day_is_left_out_and_counted() -> None:
    counts, _ = a_study(8)
    starts: list[int | None] = [0, 24, 24, 27, *[None] * 8]
    made = taken_apart(table_of(counts, starts), then=THEN, now=NOW, baseline=ALL, level=0.95)
    assert made.dropped_places == 1
    assert made.places == 3
    assert made.counted_then == counts[1:4, 12:18].sum()


def test_order_of_places_does_not_matter() -> None:
    counts, starts = a_study(9)
    panel = make_panel(counts, starts)
    made = []
    for rows in (panel, panel.sort("count", descending=True)):
        table = grid(rows, outcome="planted", hours="all", kinds=SPOTS)
        assert isinstance(rows, pl.DataFrame)
        assert table is not None
        made.append(taken_apart(table, then=THEN, now=NOW, baseline=ALL, level=0.95))
    assert made[0] == made[1]
