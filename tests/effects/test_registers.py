"""Patrols and what else was done: R's values, planted effects told apart, refusals in words."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from placeproof.effects import PlannedOutcome
from placeproof.effects.effect import overall
from placeproof.effects.grid import grid
from placeproof.effects.otherwise import without_cells
from placeproof.effects.registers import beside_rivals, contaminated
from placeproof.effects.rivals import PATROLS, Rival, active, cells, joint
from placeproof.effects.two_way import two_way_with
from tests.effects.panels import REFERENCE, make_panel, month

PLAN = {"planted": PlannedOutcome("RQ1", "Planted crimes", None, "headline")}
LEVEL, APART = 0.95, 56
STARTS: list[int | None] = [12] * 4 + [20] * 4 + [None] * 16
SPELLS = {0: 30, 1: 26, 4: 28, 5: 40, 6: 44, 7: 34}


def laid_out(panel: pl.DataFrame):
    table = grid(panel, outcome="planted", hours="all", kinds=("hotspot", "comparison"))
    assert table is not None
    return table


def last_day(k: int) -> date:
    return month(k + 1) - timedelta(1)


def rival(spells: dict[int, int] | None = None, name: str = "outreach") -> Rival:
    chosen = SPELLS if spells is None else spells
    return Rival(
        name, name.title(), tuple((f"P{i:02d}", month(k), None) for i, k in chosen.items()),
        "cointervention",
    )  # fmt: skip


def planted(
    rng: np.random.Generator,
    *,
    patrols: float,
    other: float,
    spells: dict[int, int] | None = None,
    starts: list[int | None] | None = None,
) -> pl.DataFrame:
    starts = STARTS if starts is None else starts
    n, periods = len(starts), 60
    mean = rng.gamma(5, 2, n)[:, None] * np.exp(0.2 * np.sin(np.arange(periods)))[None]
    mean = mean * rng.gamma(20, 1 / 20, mean.shape)
    for i, start in enumerate(starts):
        if start is not None:
            mean[i, start:] *= patrols
    for i, start in (SPELLS if spells is None else spells).items():
        mean[i, start:] *= other
    return make_panel(rng.poisson(mean), starts)


@pytest.fixture(scope="module")
def r_says() -> dict[str, float]:
    table = pl.read_csv(REFERENCE / "effects_registers.csv", comment_prefix="#")
    return dict(zip(table["name"], table["value"].cast(pl.Float64), strict=True))


@pytest.fixture(scope="module")
def r_rival() -> Rival:
    spans = {"P00": (14, 23), "P03": (19, 23), "P05": (18, 21), "P09": (7, 13)}
    spells = [(place, month(a), last_day(b)) for place, (a, b) in spans.items()]
    return Rival("rival", "Rival", tuple(spells), "cointervention")


def test_joint_imputation_and_its_jackknife_agree_with_r(invented, r_says, r_rival) -> None:
    patrols, other = joint(laid_out(invented), [r_rival], apart_days=APART, level=LEVEL)
    for term, name in ((patrols, "treated"), (other, "rival")):
        assert term.log_ratio == pytest.approx(r_says[f"joint_{name}"], abs=1e-6)
        assert term.spread is not None
        assert term.spread.standard_error == pytest.approx(r_says[f"joint_error_{name}"], rel=1e-6)
    assert (patrols.spread.degrees, other.spread.degrees) == (6, 3)  # type: ignore[union-attr]


def test_joint_two_way_agrees_with_r(invented, r_says, r_rival) -> None:
    table = laid_out(invented)
    use = cells(table, [r_rival], apart_days=APART)
    terms = {"treated": use.design[:, :, 0], "rival": use.design[:, :, 1]}
    made = two_way_with(table, terms, used=use.usable, level=LEVEL)
    n, clusters, k = r_says["two_way_rows"], 14, 2 + 23
    factor = np.sqrt(clusters / (clusters - 1) * (n - 1) / (n - k))
    for name, one in made.items():
        assert one.log_ratio == pytest.approx(r_says[f"two_way_{name}"], abs=1e-6)
        assert one.spread is not None
        expected = r_says[f"two_way_error_{name}"] * factor
        assert one.spread.standard_error == pytest.approx(expected, rel=1e-6)


def test_without_a_rival_it_is_the_headline() -> None:
    table = laid_out(planted(np.random.default_rng(1), patrols=0.8, other=1.0))
    alone = joint(table, [], apart_days=APART, level=LEVEL)[0]
    headline = overall(table, level=LEVEL)
    assert alone.log_ratio == pytest.approx(headline.log_ratio, abs=1e-12)
    assert alone.spread.standard_error == pytest.approx(  # type: ignore[union-attr]
        headline.spread.standard_error,
        rel=1e-9,  # type: ignore[union-attr]
    )


def test_a_rival_is_credited_to_patrols_without_the_register_and_told_apart_with_it() -> None:
    """60 studies: patrols do nothing and the rival takes two fifths; then both at once."""
    for patrols, other in ((1.0, 0.6), (0.85, 0.6)):
        found = []
        for seed in range(60):
            table = laid_out(planted(np.random.default_rng(seed), patrols=patrols, other=other))
            first, second = joint(table, [rival()], apart_days=APART, level=LEVEL)
            found.append((overall(table, level=LEVEL).log_ratio, first, second))
        blind = np.array([one[0] for one in found])
        told = np.array([one[1].log_ratio for one in found])
        theirs = np.array([one[2].log_ratio for one in found])
        error = told.std(ddof=1) / np.sqrt(60)
        assert blind.mean() - np.log(patrols) < -0.12
        assert abs(told.mean() - np.log(patrols)) < 4 * error
        assert abs(theirs.mean() - np.log(other)) < 4 * theirs.std(ddof=1) / np.sqrt(60)
        for k, truth in ((1, patrols), (2, other)):
            held = [one[k].spread.lower <= np.log(truth) <= one[k].spread.upper for one in found]
            assert np.mean(held) > 0.86  # 99 % Monte Carlo interval of .95 from 60 studies


def test_rows_say_the_same_and_the_contaminated_periods_can_go() -> None:
    panel = planted(np.random.default_rng(5), patrols=1.0, other=0.5)
    made = beside_rivals(panel, outcomes=PLAN, rivals=[rival()], apart_days=APART, level=LEVEL)
    by = {(row["horizon"], row["estimand"], row["method"]): row for row in made.to_dicts()}
    jointly = by["term=patrols", "rate_ratio", "poisson_imputation_joint"]
    assert jointly["lower"] < 1 < jointly["upper"]
    assert jointly["feeds"] == "crime hotspot cointervention"
    for method in ("poisson_imputation_joint", "poisson_two_way_joint"):
        row = by["term=outreach", "rival_rate_ratio", method]
        assert row["population"] == "places with Outreach"
        assert row["lower"] < 0.5 < row["upper"]
    same = by["term=outreach", "ratio_of_rate_ratios", "poisson_imputation_jackknife"]
    assert same["lower"] < 0.5 < same["upper"]
    gone = contaminated(panel, [rival()])
    assert gone.height == sum(60 - k for k in SPELLS.values())
    dropped = without_cells(panel, outcomes=PLAN, left_out={"rivals": gone}, level=LEVEL)
    ratio = dropped.filter(estimand="rate_ratio").row(0, named=True)
    change = dropped.filter(estimand="change_in_rate_ratio").row(0, named=True)
    assert ratio["horizon"] == "without=rivals"
    assert ratio["lower"] < 1 < ratio["upper"]
    assert change["lower"] > 1


def test_two_rivals_have_their_own_factors() -> None:
    other = rival({2: 30, 3: 33, 12: 20, 4: 40, 5: 48}, "lights")
    rng = np.random.default_rng(4)
    panel = planted(rng, patrols=0.9, other=0.6)
    counts = laid_out(panel).counts
    for place, start, _ in other.spells:
        k = (start.year - 2020) * 12 + start.month - 1
        i = int(place[1:])
        counts[i, k:] = rng.binomial(counts[i, k:].astype(int), 0.7)
    made = joint(laid_out(make_panel(counts, STARTS)), [rival(), other], apart_days=APART,
                 level=LEVEL)  # fmt: skip
    for term, truth in zip(made, (0.9, 0.6, 0.7), strict=True):
        assert term.spread is not None
        assert term.spread.lower < np.log(truth) < term.spread.upper


def test_starts_that_coincide_are_not_told_apart_in_words() -> None:
    spells = {i: start for i, start in enumerate(STARTS) if start is not None}
    panel = planted(np.random.default_rng(2), patrols=0.8, other=0.7, spells=spells)
    made = joint(laid_out(panel), [rival(spells)], apart_days=APART, level=LEVEL)
    assert "cannot be told apart" in (made[1].refusal or "")
    assert made[1].coinciding == 8
    # All periods with both are gone, so that nothing is left of patrols either.
    assert made[0].refusal is not None


def test_places_in_which_they_coincide_are_left_out_and_counted() -> None:
    spells = SPELLS | {2: 12, 3: 13}
    panel = planted(np.random.default_rng(2), patrols=0.8, other=0.7, spells=spells)
    made = joint(laid_out(panel), [rival(spells)], apart_days=APART, level=LEVEL)
    assert (made[1].coinciding, made[1].places) == (2, 6)
    assert "2 more places" in made[1].limits[-1]
    # 48 and 40 patrolled months in four places each, less those with both in the two places.
    assert made[0].cells == 4 * 48 + 4 * 40 - 48 - 47
    assert made[1].cells == sum(60 - k for k in SPELLS.values())


def test_a_rival_everywhere_at_once_cannot_be_told_from_the_time() -> None:
    everywhere = rival(dict.fromkeys(range(24), 40))
    panel = planted(np.random.default_rng(2), patrols=0.8, other=1.0)
    made = joint(laid_out(panel), [everywhere], apart_days=APART, level=LEVEL)
    assert "nothing to compare with" in (made[1].refusal or "")
    assert made[0].refusal is None


def test_two_rivals_always_together_are_refused_and_patrols_are_not() -> None:
    panel = planted(np.random.default_rng(2), patrols=0.8, other=0.7)
    made = joint(laid_out(panel), [rival(), rival(name="twin")], apart_days=APART, level=LEVEL)
    assert made[0].refusal is None
    assert all("always at work together" in (term.refusal or "") for term in made[1:])
    rows = beside_rivals(panel, outcomes=PLAN, rivals=[rival(), rival(name="twin")],
                         apart_days=APART, level=LEVEL)  # fmt: skip
    assert set(rows.filter(estimand="rival_rate_ratio")["status"]) == {"not_identified"}


@pytest.mark.parametrize(
    ("spells", "why"),
    [({}, "in no place"), ({0: 59}, "rests on one place")],
)
def test_little_to_go_on_is_said(spells: dict[int, int], why: str) -> None:
    panel = planted(np.random.default_rng(2), patrols=0.8, other=0.7, spells=spells)
    term = joint(laid_out(panel), [rival(spells)], apart_days=APART, level=LEVEL)[1]
    assert why in " ".join([term.refusal or "", *term.limits])


def test_zero_counts_while_a_rival_was_at_work_are_no_silent_number() -> None:
    panel = planted(np.random.default_rng(2), patrols=0.8, other=0.0)
    made = joint(laid_out(panel), [rival()], apart_days=APART, level=LEVEL)
    assert "No event was counted while it was at work" in (made[1].refusal or "")


def test_a_panel_without_counts_is_refused_for_every_term() -> None:
    panel = make_panel([[None] * 6] * 4, [3, 3, None, None])
    rows = beside_rivals(panel, outcomes=PLAN, rivals=[rival({0: 4})], apart_days=APART,
                         level=LEVEL)  # fmt: skip
    assert rows.height == 2
    assert rows["reason"].null_count() == 0


def test_days_of_a_rival_fill_or_touch_periods() -> None:
    table = laid_out(make_panel([[1.0] * 6] * 2, [3, None]))
    spells = (("P00", date(2020, 2, 10), date(2020, 3, 4)), ("P00", date(2020, 3, 5), None),
              ("P09", date(2020, 1, 1), None))  # fmt: skip
    made = active(table, Rival("x", "X", spells, "cointervention"))
    assert made.whole[0].tolist() == [False, False, True, True, True, True]
    assert made.touched[0].tolist() == [False, True, True, True, True, True]
    assert not made.touched[1].any()
    assert PATROLS == "patrols"
