"""Invented studies resemble the one they stand for, and estimators are judged by known truth."""

import ast
import dataclasses
import math
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

from placeproof.effects import certificate
from placeproof.effects.certificate.calibrating import calibrate
from placeproof.effects.certificate.drawing import Likeness, draw
from placeproof.effects.certificate.judging import FAST, SLOW, Score, Trial, judge
from placeproof.effects.certificate.preparing import Design, design, trial
from placeproof.effects.certificate.summing import (
    Bands,
    detectable,
    ladder,
    outside,
    share,
    summary,
    verdict,
)
from placeproof.effects.rows import DISPLACEMENT, IMPUTATION, PLACEBO, TREND_ADJUSTED, TWO_WAY
from tests.effects.panels import make_panel

FOLDER = Path(certificate.__file__).parent
BANDS = Bands(coverage=(0.93, 0.99), false_alarms=(0.0, 0.07), largest_bias=0.05)


def likeness(
    *, n: int = 60, periods: int = 156, rate: float = 1.5, year: float = 52.18, **more: float
) -> Likeness:
    levels = rate * np.exp(0.4 * np.random.default_rng(5).standard_normal(n))
    season = np.exp(0.2 * np.sin(2 * np.pi * np.arange(periods) / year))
    chosen = {"town_sd": 0.0, "town_memory": 0.0, "own_sd": 0.3, "own_memory": 0.85, "excess": 0.1}
    return Likeness(levels=levels, path=season, **(chosen | more))


def planned(likeness: Likeness, *, treated: int = 8, start: int = 12, **more: object) -> Trial:
    n, periods = len(likeness.levels), len(likeness.path)
    starts = [start + 2 * (i % 3) if i < treated else None for i in range(n)]
    panel = make_panel(np.zeros((n, periods)), starts)
    made = design(panel, panel, outcome="planted", masked_from=None)
    assert made is not None
    chosen = {"level": 0.95, "permutations": 19} | more
    return Trial(
        table=made.kept,
        columns=np.arange(periods),
        reached=made.full.after,
        likeness=likeness,
        **chosen,  # type: ignore[arg-type]
    )


def test_the_simulator_knows_nothing_of_the_estimators() -> None:
    for name in ("drawing.py", "calibrating.py"):
        tree = ast.parse((FOLDER / name).read_text(encoding="utf-8"))
        entered = {
            node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
        } | {each.name for node in ast.walk(tree) if isinstance(node, ast.Import)
             for each in node.names}  # fmt: skip
        ours = {one for one in entered if one and one.startswith("placeproof")}
        assert ours <= {"placeproof.effects.certificate.drawing"}


def test_draws_have_the_moments_that_were_asked_for() -> None:
    like = likeness(n=4000, periods=60, rate=4.0, own_sd=0.3, own_memory=0.8, excess=0.2)
    made = draw(like, log_effect=np.zeros(1), rng=np.random.default_rng(1))
    mean = like.levels[:, None] * like.path
    left = made.counts / mean - 1
    own = math.expm1(0.3**2)
    lag = {k: float((left[:, k:] * left[:, :-k]).mean()) for k in (1, 4)}
    assert made.counts.mean() == pytest.approx(mean.mean(), rel=0.02)
    assert float((left**2 - 1 / mean).mean()) == pytest.approx(1.2 * (1 + own) - 1, rel=0.08)
    assert lag[1] == pytest.approx(math.expm1(0.09 * 0.8), rel=0.08)
    assert lag[4] == pytest.approx(math.expm1(0.09 * 0.8**4), rel=0.15)


def test_the_same_chance_stands_behind_every_effect() -> None:
    like = likeness(n=5, periods=20)
    effect = np.zeros((5, 20))
    effect[2, 10:] = math.log(0.5)
    still, moved = (
        draw(like, log_effect=e, rng=np.random.default_rng(3)).expected
        for e in (0 * effect, effect)
    )
    assert np.allclose(moved / still, np.exp(effect))


def test_what_was_planted_is_measured() -> None:
    like = likeness(n=80, own_sd=0.3, own_memory=0.92, excess=0.15)
    found = []
    for seed in range(6):
        made = draw(like, log_effect=np.zeros(1), rng=np.random.default_rng(seed))
        everything = np.ones(made.counts.shape, dtype=bool)
        one = calibrate(made.counts, everything, year=np.arange(156) / 52.18).likeness
        assert one is not None
        ratio = one.levels.mean() / like.levels.mean()
        found.append([one.own_sd, one.own_memory, one.excess, ratio, np.ptp(np.log(one.path))])
    own_sd, memory, excess, ratio, season = np.mean(found, axis=0)
    assert own_sd == pytest.approx(0.3, abs=0.04)
    assert memory == pytest.approx(0.92, abs=0.08)
    assert excess == pytest.approx(0.15, abs=0.05)
    assert ratio == pytest.approx(1.0, abs=0.05)
    assert season == pytest.approx(0.4, abs=0.12)


def test_plain_poisson_counts_are_not_called_overdispersed() -> None:
    like = likeness(n=80, own_sd=0.0, excess=0.0)
    made = draw(like, log_effect=np.zeros(1), rng=np.random.default_rng(2))
    one = calibrate(made.counts, np.ones(made.counts.shape, bool), year=np.arange(156) / 52.18)
    assert one.likeness is not None
    assert one.likeness.own_sd < 0.12
    assert one.likeness.excess < 0.06


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (np.zeros((4, 20)), "No event was counted in the 20 periods"),
        (np.ones((4, 6)), "Only 6 periods before the first patrols"),
        (np.eye(20)[:4], "Fewer than 20 events"),
        (np.zeros((4, 0)), "No period before the first patrols"),
    ],
)
def test_what_cannot_be_calibrated_is_said(counts: np.ndarray, words: str) -> None:
    made = calibrate(counts, np.ones(counts.shape, bool), year=np.arange(counts.shape[1]) / 12)
    assert made.likeness is None
    assert words in str(made.refusal)


def test_with_next_to_no_chance_every_estimator_is_right() -> None:
    quiet = likeness(n=24, periods=36, rate=4e5, year=12, own_sd=0.0, excess=0.0)
    flat = dataclasses.replace(quiet, levels=np.full(24, 4e5), path=np.ones(36))
    study = planned(flat)
    made = judge(study, rate_ratio=0.8, methods=(*FAST, TWO_WAY), seed=(1,))
    for name in (IMPUTATION, TREND_ADJUSTED, DISPLACEMENT, TWO_WAY):
        assert made[name].error == pytest.approx(0.0, abs=0.003), name
        assert made[name].found, name


def test_a_study_is_the_same_whatever_else_is_judged() -> None:
    study = planned(likeness(n=20, periods=30, year=12))
    alone = judge(study, rate_ratio=0.9, methods=(IMPUTATION,), seed=(7, 1))
    all_of_them = judge(study, rate_ratio=0.9, methods=(*FAST, *SLOW), seed=(7, 1))
    assert alone[IMPUTATION] == all_of_them[IMPUTATION]
    assert all_of_them[PLACEBO].covered is None
    assert all_of_them[PLACEBO].found is not None


def score(found: bool | None, *, error: float = 0.0, covered: bool | None = True) -> Score:
    return Score(error, 0.1, 0.2, None if found is None else covered, found)


def test_a_share_has_the_exact_interval() -> None:
    exact = stats.binomtest(930, 1000).proportion_ci(0.99, method="exact")
    made = share(930, 1000)
    assert (made["low"], made["high"]) == pytest.approx((exact.low, exact.high))
    assert (share(0, 10)["low"], share(10, 10)["high"]) == (0.0, 1.0)
    assert not outside(share(925, 1000), (0.93, 0.97))
    assert outside(share(880, 1000), (0.93, 0.97))
    assert outside(share(999, 1000), (0.93, 0.97))


def test_verdicts() -> None:
    good = [score(k < 50, covered=k >= 50) for k in range(1000)]
    eager = [score(k < 150, covered=k >= 150) for k in range(1000)]
    off = [score(k < 50, covered=k >= 50, error=0.2 + 0.01 * (k % 3)) for k in range(1000)]
    bare = [score(None if k < 100 else False) for k in range(1000)]
    assert verdict({1.0: summary(good)}, BANDS) == ("certified", "")
    said, why = verdict({1.0: summary(eager)}, BANDS)
    assert said == "barred"
    assert "holds the truth in 85.0 %" in why
    assert "sees an effect in 15.0 %" in why
    said, why = verdict({1.0: summary(good), 0.85: summary(off)}, BANDS)
    assert said == "barred"
    assert "misses it by +0.210" in why
    assert verdict({1.0: summary(bare)}, BANDS)[0] == "not_certifiable"
    few = verdict({1.0: summary(good[50:149])}, BANDS)
    assert few == ("not_certifiable", "It was tried on 99 studies; fewer than 100 say too little.")
    assert verdict({1.0: summary([score(None)] * 10)}, BANDS) == (
        "not_certifiable",
        "It gives no interval in any of the simulated studies.",
    )


def test_the_smallest_effect_found_is_where_power_is_four_fifths() -> None:
    # Power of a z-test with standard error 0.05: Φ(|δ|/0.05 − 1.96), so 0.8 at 2.80 errors.
    at = [-0.08, -0.12, -0.16, -0.20]
    tried = [(d, round(1e6 * stats.norm.cdf(abs(d) / 0.05 - 1.959964)), 10**6) for d in at]
    found = detectable(tried)
    assert found is not None
    assert found.rate_ratio == pytest.approx(math.exp(-2.8016 * 0.05), rel=1e-3)
    assert found.low < found.rate_ratio < found.high
    assert detectable([(0.1, 5, 100), (0.2, 6, 100)]) is None
    rising = detectable([(-d, hits, n) for d, hits, n in tried])
    assert rising is not None
    assert rising.rate_ratio == pytest.approx(1 / found.rate_ratio, rel=1e-3)


def test_the_ladder_surrounds_what_the_errors_suggest() -> None:
    rng = np.random.default_rng(1)
    null = [Score(e, 0.05, 0.1, True, False) for e in 0.05 * rng.standard_normal(500)]
    falls = [step for step in ladder(null) if step < 0]
    assert min(falls) < -0.14 < max(falls)
    assert ladder([Score(0.0, math.nan, math.nan, None, None)]) == ()


def invented(
    *, treated: int = 5, places: int = 15, periods: int = 40, start: int = 24, rate: float = 3.0
) -> pl.DataFrame:
    counts = np.random.default_rng(1).poisson(rate, size=(places, periods)).astype(float)
    return make_panel(counts, [start if i < treated else None for i in range(places)])


def designed(panel: pl.DataFrame, *, masked_from: date | None = None) -> Design:
    made = design(panel, panel, outcome="planted", masked_from=masked_from)
    assert made is not None
    return made


def test_counts_after_the_first_patrols_are_never_read() -> None:
    panel = invented()
    start = panel["first_treated"].min()
    after = pl.col("period_start") >= start
    masked = panel.with_columns(count=pl.when(~after).then("count"))
    other = panel.with_columns(count=pl.when(after).then(pl.col("count") + 9).otherwise("count"))
    made = designed(panel)
    assert designed(masked, masked_from=start).sha256 == made.sha256  # type: ignore[arg-type]
    assert designed(other).sha256 == made.sha256
    before = panel.with_columns(count=pl.when(after).then("count").otherwise(pl.col("count") + 1))
    assert designed(before).sha256 != made.sha256
    hidden, _, _ = trial(designed(masked, masked_from=start), level=0.95, permutations=0)  # type: ignore[arg-type]
    seen, _, _ = trial(made, level=0.95, permutations=0)
    assert hidden is not None
    assert seen is not None
    one, two = (judge(each, rate_ratio=0.8, methods=FAST, seed=(1,)) for each in (hidden, seen))
    assert one == two


def test_periods_that_the_estimate_leaves_out_are_left_out() -> None:
    panel = invented()
    gone = pl.col("period_start").is_between(date(2020, 5, 1), date(2020, 9, 1))
    made = design(panel, panel.filter(~gone), outcome="planted", masked_from=None)
    assert made is not None
    assert len(made.full.period_starts) - len(made.kept.period_starts) == 5
    built, _, _ = trial(made, level=0.95, permutations=0)
    assert built is not None
    assert len(built.columns) == 35
    assert 4 not in built.columns
    assert np.isfinite(judge(built, rate_ratio=1.0, methods=FAST, seed=(1,))[IMPUTATION].error)


@pytest.mark.parametrize(
    ("panel", "words"),
    [
        (invented(rate=0.0), "No event was counted in the 24 periods"),
        (invented(start=6), "Only 6 periods before the first patrols"),
        (invented(start=0), "No period before the first patrols"),
        (invented(treated=0), "No place is patrolled"),
        (invented(treated=15), "There is no comparison place"),
    ],
    ids=["zero counts", "short history", "no history", "no treated place", "all at once"],
)
def test_what_cannot_be_certified_is_said(panel: pl.DataFrame, words: str) -> None:
    built, refusal, _ = trial(designed(panel), level=0.95, permutations=0)
    assert built is None
    assert words in refusal


def test_one_treated_place_gives_no_interval_to_certify() -> None:
    built, refusal, _ = trial(designed(invented(treated=1)), level=0.95, permutations=19)
    assert built is not None
    assert refusal == ""
    scores = [
        judge(built, rate_ratio=1.0, methods=(IMPUTATION, PLACEBO), seed=(k,)) for k in (1, 2)
    ]
    made = {name: summary([one[name] for one in scores]) for name in (IMPUTATION, PLACEBO)}
    assert verdict({1.0: made[IMPUTATION]}, BANDS)[0] == "not_certifiable"
    assert made[PLACEBO]["without_interval"] == 0


def test_an_outcome_that_is_not_counted_has_no_design() -> None:
    assert design(invented(), invented(), outcome="other", masked_from=None) is None
