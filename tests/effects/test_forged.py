"""The headline under many sets, placebos in space and time, and one place left out."""

import math
from datetime import date

import numpy as np
import polars as pl
import pytest

from placeproof.effects import PlannedOutcome, Sets, choice_of_comparison, first_set
from placeproof.effects.effect import overall
from placeproof.effects.forged import (
    SetCounts,
    pretended_log_ratios,
    set_log_ratios,
    spread_rows,
)
from placeproof.effects.grid import Grid, checked, grid
from placeproof.effects.pretended import time_rows
from tests.effects.panels import make_panel

SPOTS = ("hotspot", "comparison")
PLANNED = PlannedOutcome("RQ1", "Counts", "x@1:0", "headline")
STARTS: list[int | None] = [12, 12, 15, 18, 18, *[None] * 8]


def _counts(seed: int = 1, *, ratio: float = 1.0, periods: int = 24) -> np.ndarray:
    rng = np.random.default_rng(seed)
    level = rng.uniform(3, 12, (len(STARTS), 1))
    expected = level * (1 + 0.3 * np.sin(np.arange(periods) / 4))
    after = np.array([[s is not None and t >= s for t in range(periods)] for s in STARTS])
    return rng.poisson(expected * np.where(after, ratio, 1.0)).astype(float)


def _table(counts: np.ndarray, kinds: tuple[str, ...] = SPOTS) -> Grid:
    table = grid(checked(make_panel(counts, STARTS)), outcome="planted", hours="all", kinds=kinds)
    assert table is not None
    return table


def test_a_set_gives_what_the_headline_gives_with_these_places() -> None:
    counts = _counts(ratio=0.8)
    hot_spots = _table(counts, ("hotspot",))
    sets = np.stack([counts[5:].sum(axis=0), counts[5:9].sum(axis=0), counts[9:].sum(axis=0)])
    found = set_log_ratios(hot_spots, sets)
    assert found[0] == pytest.approx(overall(_table(counts), level=0.95).log_ratio, abs=1e-10)
    for k, rows in ((1, range(5, 9)), (2, range(9, 13))):
        some = make_panel(
            counts[[*range(5), *rows]], [s for i, s in enumerate(STARTS) if i < 5 or i in rows]
        )
        table = grid(checked(some), outcome="planted", hours="all", kinds=SPOTS)
        assert table is not None
        assert found[k] == pytest.approx(overall(table, level=0.95).log_ratio, abs=1e-10)


def test_missing_periods_are_passed_over_as_in_the_headline() -> None:
    counts = _counts(ratio=0.8)
    counts[:, [3, 20]] = np.nan
    sets = np.nan_to_num(counts[5:]).sum(axis=0)[None] + np.isin(np.arange(24), [3, 20]) * 50.0
    found = set_log_ratios(_table(counts, ("hotspot",)), sets)
    assert found[0] == pytest.approx(overall(_table(counts), level=0.95).log_ratio, abs=1e-10)


def test_pretended_patrols_are_estimated_as_real_ones_would_be() -> None:
    counts = _counts()
    hot_spots = _table(counts, ("hotspot",))
    pretended, beside = counts[5:10], counts[10:].sum(axis=0)
    found = pretended_log_ratios(hot_spots, pretended[None], beside[None])
    swapped = np.vstack([pretended, counts[10:]])
    table = grid(
        checked(make_panel(swapped, STARTS[:8])), outcome="planted", hours="all", kinds=SPOTS
    )
    assert table is not None
    assert found[0] == pytest.approx(overall(table, level=0.95).log_ratio, abs=1e-10)


def test_a_set_without_events_gives_no_number() -> None:
    hot_spots = _table(_counts(), ("hotspot",))
    found = set_log_ratios(hot_spots, np.zeros((2, 24)))
    # All start by the last cohort: after it nothing untreated is left to expect from.
    assert found.shape == (2,)
    assert set_log_ratios(hot_spots, np.zeros((0, 24))).shape == (0,)
    base = {"question": "RQ1", "outcome": "x", "outcome_label": "x", "unit": "ratio"}
    counts = SetCounts(("tessellated=1", "tessellated=2"), np.zeros((2, 24)), np.array([2, 2]))
    rows = spread_rows(
        base, counts, np.array([np.nan, 0.1]), headline=0.1, headline_error=None, wanted=2
    )
    assert [row["status"] for row in rows] == ["not_identified"]
    assert "1 of 2" in str(rows[0]["reason"])


def _sets(counts: np.ndarray, n: int = 8) -> Sets:
    rng = np.random.default_rng(3)
    chosen = [np.sort(rng.permutation(np.arange(5, 13))[:6]) for _ in range(n)]
    return Sets(
        names=tuple(f"tessellated={k + 1}" for k in range(n)),
        periods=tuple(date(2020 + t // 12, t % 12 + 1, 1) for t in range(24)),
        events=np.stack([counts[rows].sum(axis=0) for rows in chosen]),
        places=np.full(n, 6),
        hot_spots=tuple(f"P{i:02d}" for i in range(5)),
        pretended=np.stack([counts[rng.permutation(np.arange(5, 13))[:5]] for _ in range(n)]),
        beside=np.stack([counts[rows[:3]].sum(axis=0) for rows in chosen]),
        beside_places=np.full(n, 8),
    )


def _made(counts: np.ndarray, starts: list[int | None] = STARTS, **changes: object) -> pl.DataFrame:
    settings = {"wanted": 8, "earlier": [3, 30], **changes}
    if "sets" not in settings:
        settings["sets"] = _sets(counts)
    return choice_of_comparison(
        make_panel(counts, starts),
        outcome="planted",
        planned=PLANNED,
        level=0.95,
        **settings,  # type: ignore[arg-type]
    )


def test_rows_say_where_the_headline_lies() -> None:
    counts = _counts(ratio=0.7)
    rows = _made(counts)
    each = rows.filter(estimand="matched_set_rate_ratio")
    assert each.height == 8
    whole = rows.filter(horizon="all")
    median = whole.filter(estimand="median_rate_ratio").to_dicts()[0]
    assert median["estimate"] == pytest.approx(
        math.exp(float(np.median(np.log(each["estimate"].to_numpy()))))
    )
    assert median["reason"] is None
    headline = math.exp(overall(_table(counts), level=0.95).log_ratio)
    below = whole.filter(estimand="share_of_sets_below_the_headline")["estimate"].item()
    assert below == pytest.approx((each["estimate"] < headline).mean())
    side = whole.filter(estimand="share_of_sets_on_the_headlines_side")["estimate"].item()
    assert side == pytest.approx((each["estimate"] < 1).mean())
    space = rows.filter(estimand="placebo_in_space_rate_ratio")
    assert space.height == 9
    placebos = np.log(space.filter(pl.col("horizon") != "all")["estimate"].to_numpy())
    as_far = (np.abs(placebos) >= abs(math.log(headline))).sum()
    p_value = space.filter(horizon="all")["p_value"].item()
    assert p_value == pytest.approx((1 + as_far) / 9)
    fewer = _made(counts, wanted=10).filter(estimand="median_rate_ratio", horizon="all")
    assert fewer["reason"].item() == "10 sets of comparison places were wanted, 8 give an estimate."


def test_each_place_left_out_is_what_an_estimate_without_it_gives() -> None:
    counts = _counts(ratio=0.8)
    rows = _made(counts).filter(estimand="one_left_out_rate_ratio")
    assert rows.height == 13
    for i, horizon in ((1, "hotspot=P01"), (7, "comparison=P07")):
        kept = [k for k in range(13) if k != i]
        table = grid(
            checked(make_panel(counts[kept], [STARTS[k] for k in kept])),
            outcome="planted", hours="all", kinds=SPOTS,
        )  # fmt: skip
        assert table is not None
        again = math.exp(overall(table, level=0.95).log_ratio)
        assert rows.filter(horizon=horizon)["estimate"].item() == pytest.approx(again)


def test_patrols_pretended_earlier_use_nothing_from_after_the_real_start() -> None:
    counts = _counts()
    base = {"question": "RQ1", "outcome": "x", "outcome_label": "x", "unit": "ratio"}
    table = _table(counts)
    (row,) = time_rows(base, table, earlier=[4], level=0.95)
    bent = counts.copy()
    for i, start in enumerate(STARTS):
        if start is not None:
            bent[i, start:] *= 10
    (again,) = time_rows(base, _table(bent), earlier=[4], level=0.95)
    assert again["estimate"] == row["estimate"]
    # The same as shifting every start and cutting what came after the real one.
    cut = counts.copy()
    for i, start in enumerate(STARTS):
        if start is not None:
            cut[i, start:] = np.nan
    earlier = [None if s is None else s - 4 for s in STARTS]
    shifted = grid(checked(make_panel(cut, earlier)), outcome="planted", hours="all", kinds=SPOTS)
    assert shifted is not None
    effect = overall(shifted, level=0.95)
    assert row["estimate"] == pytest.approx(math.exp(effect.log_ratio))
    assert effect.spread is not None
    assert row["lower"] == pytest.approx(math.exp(effect.spread.lower))
    assert row["horizon"] == "month=-4"


def test_a_start_pretended_before_the_counts_is_refused_in_words() -> None:
    rows = _made(_counts()).filter(estimand="placebo_in_time_rate_ratio")
    refused = rows.filter(horizon="month=-30").to_dicts()[0]
    assert refused["status"] == "not_identified"
    assert "32 counted months" in refused["reason"]
    # Twelve periods before the first starts: with 11 only the later ones can be pretended.
    some = _made(_counts(), earlier=[11]).filter(estimand="placebo_in_time_rate_ratio")
    assert "2 hot spots have too few periods" in some["reason"].item()


def test_one_treated_place_and_no_comparison_place_get_what_can_be_had() -> None:
    counts = _counts()
    one = [12, *[None] * 8]
    rows = _made(counts[[0, *range(5, 13)]], one, sets=_sets(counts))
    assert rows.filter(estimand="median_rate_ratio", horizon="all")["status"].item() == "estimated"
    assert rows.filter(horizon="month=-3")["lower"].item() is None
    alone = _made(counts[:5], [12] * 5, sets=_sets(counts))
    # The headline has nothing to compare with; the sets have.
    assert alone.filter(estimand="median_rate_ratio", horizon="all")["status"].item() == "estimated"
    assert alone.filter(estimand="one_left_out_rate_ratio").is_empty()
    assert alone.filter(estimand="share_of_sets_below_the_headline").is_empty()


def test_counts_that_begin_after_the_start_say_so() -> None:
    starts: list[int | None] = [0] * 5 + [None] * 8
    (row,) = _made(_counts(), starts).to_dicts()
    assert row["status"] == "not_identified"
    assert "begin at or after the first day" in row["reason"]
    (row,) = _made(_counts() * np.nan).to_dicts()
    assert row["status"] == "not_identified"
    assert "missing" in row["reason"]


def test_the_headline_of_the_first_set_is_the_one_that_is_compared() -> None:
    counts = _counts(ratio=0.8)
    panel = make_panel(counts, STARTS)
    first = first_set(
        panel, outcomes={"planted": PLANNED}, level=0.95, permutations=0,
        rng=np.random.default_rng(1), widths=(), leads=0, nte=None, bands={},
    ).filter(estimand="rate_ratio", role="headline", population="treated hot spots")  # fmt: skip
    headline = first["estimate"].item()
    below = _made(counts).filter(estimand="share_of_sets_below_the_headline")["estimate"].item()
    each = _made(counts).filter(estimand="matched_set_rate_ratio")["estimate"]
    assert below == pytest.approx((each < headline).mean())
