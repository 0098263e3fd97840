"""The truth is an identity of expected counts, and what happens keeps to it within chance."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from placeproof.rehearsal import EFFECTS, build_world, truth
from placeproof.rehearsal.happenings import ceilings, draw
from placeproof.rehearsal.offences import CLASSES, GROUP, kinds_table
from placeproof.rehearsal.rhythm import BANK_HOLIDAYS, DAYS, EVENTS, core_night, profiles


class Worlds(dict):
    """One small world for each effect, built when it is first asked for."""

    def __missing__(self, effect):
        self[effect] = build_world(seed=3, size="small", effect=effect)
        return self[effect]


@pytest.fixture(scope="module")
def worlds():
    return Worlds()


def planted(world, outcome, population="treated hot spots", hours="all", subgroup="all"):
    rows = truth.ratios(world.expected, world.hotspots)
    (row,) = [
        r
        for r in rows
        if (r["outcome"], r["population"], r["hours"], r["subgroup"])
        == (outcome, population, hours, subgroup)
    ]
    return row


def test_ratio_in_hours_of_one_class_is_the_number_that_was_chosen(worlds):
    for name in ("default", "harm"):
        for hours in ("nte", "other"):
            row = planted(worlds[name], "asb-all", hours=f"{hours}:nte-core")
            assert row["rate_ratio"] == pytest.approx(EFFECTS[name].inside["asb", hours], 1e-6)


def test_overall_ratio_is_the_mean_of_hours_weighted_by_expected_counts(worlds):
    world = worlds["default"]
    every = planted(world, "sv-street-nondom")
    parts = [planted(world, "sv-street-nondom", hours=f"{h}:nte-core") for h in ("nte", "other")]
    assert every["expected_with"] == pytest.approx(sum(p["expected_with"] for p in parts), abs=1e-3)
    weighted = sum(p["rate_ratio"] * p["expected_without"] for p in parts)
    assert every["rate_ratio"] == pytest.approx(weighted / every["expected_without"], abs=1e-5)
    assert 0.79 < every["rate_ratio"] < 0.85


def test_cohorts_quarters_and_hot_spots_each_sum_to_the_whole(worlds):
    world = worlds["decay"]
    rows = [r for r in truth.ratios(world.expected, world.hotspots) if r["hours"] == "all"]
    for outcome in ("sv-street-nondom", "asb-all"):
        mine = [
            r for r in rows if r["outcome"] == outcome and r["population"] == "treated hot spots"
        ]
        for kind in ("cohort=", "quarter=", "hotspot="):
            total = sum(r["expected_with"] for r in mine if r["subgroup"].startswith(kind))
            whole = next(r["expected_with"] for r in mine if r["subgroup"] == "all")
            assert total == pytest.approx(whole, rel=1e-6)


def test_a_decaying_effect_decays_and_a_lasting_one_does_not(worlds):
    def quarters(name):
        rows = truth.ratios(worlds[name].expected, worlds[name].hotspots)
        return [
            r["rate_ratio"]
            for r in rows
            if r["outcome"] == "asb-all"
            and r["population"] == "treated hot spots"
            and r["hours"] == "other:nte-core"
            and r["subgroup"].startswith("quarter=")
        ]

    assert all(a < b for a, b in zip(quarters("decay"), quarters("decay")[1:], strict=False))
    assert max(quarters("default")) == pytest.approx(min(quarters("default")))


def test_nothing_is_planted_indoors_on_burglary_or_before_the_first_patrol(worlds):
    for name in ("default", "displacement"):
        world = worlds[name]
        assert planted(world, "burglary")["rate_ratio"] == 1
        before = ~world.expected.treated[None, :, None, :, None]
        gap = (world.expected.with_patrols - world.expected.without) * before
        assert np.abs(gap).max() == 0
    assert GROUP["indoors"] == GROUP["burglary"] == "none"


def test_no_effect_is_no_effect_and_harm_is_harm(worlds):
    world = worlds["none"]
    assert np.array_equal(world.expected.with_patrols, world.expected.without)
    assert world.without.mark.shape == world.with_patrols.mark.shape
    assert planted(worlds["harm"], "sv-street-nondom")["rate_ratio"] == pytest.approx(1.2, abs=1e-5)


def test_displacement_rises_in_both_rings_and_diffusion_falls_in_the_first(worlds):
    world = worlds["displacement"]
    assert planted(world, "asb-all", "ring 0-100 m")["rate_ratio"] == pytest.approx(1.10)
    assert planted(world, "asb-all", "ring 100-250 m")["rate_ratio"] == pytest.approx(1.04)
    near = planted(worlds["default"], "asb-all", "ring 0-100 m")
    assert near["rate_ratio"] == pytest.approx(0.96)


def test_what_happens_keeps_to_what_is_expected(worlds):
    for name in ("default", "harm", "displacement"):
        world = worlds[name]
        target, band = truth.targets(world.city, world.hotspots)
        for outcome in ("sv-street-nondom", "all-crime", "asb-all", "burglary"):
            mine = truth.kinds_of(outcome)
            for events, column in (
                (world.without, "expected_without"),
                (world.with_patrols, "expected_with"),
            ):
                spot = target[events.point]
                inside = (spot >= 0) & (band[events.point] == 0) & mine[events.kind]
                count = world.expected.treated[spot[inside], events.day[inside]].sum()
                expected = planted(world, outcome)[column]
                # 4.5 Poisson standard errors: false alarm once in 150,000 looks.
                assert abs(count - expected) < 4.5 * np.sqrt(expected)


def test_mean_over_many_draws_is_the_expected_count(worlds):
    world = worlds["harm"]
    top = ceilings(world.effect)
    rates = world.rates[:, :, :120]
    total = rates.sum(axis=(1, 2, 3))
    for seed in range(3):
        events = draw(world.city, rates, top, np.random.default_rng(seed))
        for c in range(len(CLASSES)):
            mine = events.of_class == c
            assert abs(mine.sum() - total[c] * top[c]) < 5 * np.sqrt(total[c] * top[c])
            kept = (events.mark[mine] < 1 / top[c]).sum()
            assert abs(kept - total[c]) < 5 * np.sqrt(total[c])


def test_worlds_share_every_event_that_patrols_do_not_touch(worlds):
    world = worlds["default"]
    untouched = {"indoors", "burglary", "sexual"}
    keep = [CLASSES.index(name) for name in untouched]
    a = world.without.where(np.isin(world.without.of_class, keep))
    b = world.with_patrols.where(np.isin(world.with_patrols.of_class, keep))
    assert np.array_equal(a.mark, b.mark)


def test_outcomes_of_the_truth_are_the_outcomes_of_the_definitions():
    definitions = pytest.importorskip("placeproof.definitions")
    known = definitions.outcomes()
    kinds = kinds_table()
    crime = kinds.with_columns(
        pl.lit("recorded").alias("status"), pl.int_range(pl.len()).alias("source_row")
    )
    incident = pl.DataFrame(
        {
            "status": ["recorded"] * 3,
            "qualifier": ["personal", "nuisance", "environmental"],
            "duplicate_of": pl.Series([None] * 3, dtype=pl.String),
            "category": ["Anti-social behaviour"] * 3,
        }
    )
    for name in truth.OUTCOMES:
        counted = definitions.select(known[name], crime=crime, incident=incident)
        assert counted.height == truth.kinds_of(name).sum(), name


def test_hours_of_the_night_are_those_of_the_calendar():
    calendar = pytest.importorskip("placeproof.calendar")
    eves = calendar.bank_holiday_eves(DAYS[0], DAYS[-1])
    assert eves == {day - timedelta(1) for day in BANK_HOLIDAYS}
    night = core_night(DAYS)
    plain = [i for i, d in enumerate(DAYS) if d.isoweekday() not in (5, 6) and d not in eves]
    marked = {event.day for event in EVENTS if event.nte}
    for i in plain:
        assert night[i].any() == (DAYS[i] in marked)
    friday = next(i for i, d in enumerate(DAYS) if d.isoweekday() == 5)
    assert night[friday].sum() == 9
    assert night[friday, 14]
    assert not night[friday, 13]


def test_a_week_of_every_class_weighs_one():
    assert profiles().sum(axis=(2, 3)) == pytest.approx(1)


def test_counts_are_overdispersed_and_places_differ(worlds):
    world = worlds["none"]
    weeks = np.arange(len(DAYS)) // 7
    serious = CLASSES.index("serious")
    events = world.without.where(world.without.of_class == serious)
    zone = world.city.point_zone[events.point]
    places = 3 * np.arange(len(world.city.outlines))
    counts = np.zeros((world.city.zones, weeks.max() + 1))
    np.add.at(counts, (zone, weeks[events.day]), 1)
    counts = counts[places][:, :-1]
    within = counts.var(axis=1, ddof=1) / counts.mean(axis=1)
    assert within.mean() > 1.05
    levels = counts.mean(axis=1)
    assert levels.std() / levels.mean() > 0.3


def test_selection_on_recorded_counts_is_lucky():
    over = []
    for seed in range(3):
        world = build_world(seed=seed, size="small", effect="none")
        inside = 3 * np.array([spot.place for spot in world.hotspots])
        from placeproof.rehearsal.choices import SELECTION
        from placeproof.rehearsal.selection import window

        days = window(*SELECTION)
        promised = world.rates[CLASSES.index("serious")][inside][:, days].sum()
        promised += 0.5 * world.rates[CLASSES.index("asb")][inside][:, days].sum()
        over.append(world.score[[s.place for s in world.hotspots]].sum() / promised)
    assert np.mean(over) > 1.0


def test_rivals_take_what_was_planted_where_and_when_they_work_and_nothing_elsewhere(worlds):
    alone, beside = worlds["default"], worlds["rivals"]
    touched = np.isin([GROUP[name] for name in CLASSES], ["serious", "other", "asb"])

    def counted(world):
        spot, band = truth.targets(world.city, world.hotspots)
        events = world.with_patrols
        near = (spot[events.point] >= 0) & (band[events.point] == 0) & touched[events.of_class]
        mine = events.where(near)
        out = beside.rivals.outreach[spot[mine.point], mine.day]
        out &= (mine.hour >= 8) & (mine.hour < 14)
        plan = beside.rivals.plans[spot[mine.point], mine.day]
        return np.array([(out & ~plan).sum(), (plan & ~out).sum(), (~plan & ~out).sum()])

    before, after = counted(alone), counted(beside)
    assert before.min() > 300
    for k, ratio in ((0, 0.5), (1, 0.75)):
        error = np.sqrt(ratio * (1 - ratio) / before[k])
        assert abs(after[k] / before[k] - ratio) < 4 * error
    assert after[2] == before[2]
    assert alone.rivals.outreach_ratio == 1.0
