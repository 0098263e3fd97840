"""The first set as a whole: what it says, what it refuses to say, and that it never crashes."""

import json

import numpy as np
import polars as pl
import pytest

from placeproof.effects import PlannedOutcome, first_set, negative_controls
from placeproof.effects.rows import BEFORE_AFTER, IMPUTATION, PLACEBO, PRE_TREND, TREND_ADJUSTED
from placeproof.errors import ContractError
from placeproof.tables import Estimate
from tests.effects.panels import make_panel, simulate

PLAN = {"planted": PlannedOutcome("RQ1", "Planted crimes", "planted@1:abc", "headline")}


def run(panel: pl.DataFrame, **changes: object) -> pl.DataFrame:
    settings: dict = {
        "outcomes": PLAN,
        "level": 0.95,
        "permutations": 99,
        "rng": np.random.default_rng(1),
        "widths": ("quarter",),
        "leads": 4,
        "nte": None,
        "bands": {},
    }
    made = first_set(panel, **{**settings, **changes})
    Estimate.validate(made)
    return made


def headline(made: pl.DataFrame, method: str = IMPUTATION, **where: str) -> dict:
    conditions = {"horizon": "all", "subgroup": "all", "estimand": "rate_ratio", **where}
    rows = made.filter(
        pl.all_horizontal([pl.col(k) == v for k, v in conditions.items()])
        & (pl.col("method") == method)
    )
    return rows.row(0, named=True)


def steady(n: int = 8, treated: int = 4, months: int = 24, start: int = 12) -> pl.DataFrame:
    counts = np.random.default_rng(2).poisson(6, size=(n, months)).astype(float)
    return make_panel(counts, [start] * treated + [None] * (n - treated))


def with_hours(panel: pl.DataFrame) -> pl.DataFrame:
    night = panel.with_columns(hours=pl.lit("nte"), count=(pl.col("count") / 2).floor())
    rest = panel.with_columns(
        hours=pl.lit("other"), count=pl.col("count") - (pl.col("count") / 2).floor()
    )
    return pl.concat([panel, night, rest])


def with_rings(panel: pl.DataFrame) -> pl.DataFrame:
    kinds = {"hotspot": "ring", "comparison": "comparison_ring"}
    ring = panel.with_columns(
        target_id=pl.col("place_id"),
        place_id="ring-" + pl.col("place_id"),
        kind=pl.col("kind").replace_strict(kinds),
    )
    return pl.concat([panel, ring])


def test_one_headline_and_everything_that_stands_beside_it() -> None:
    made = run(with_rings(with_hours(steady())), nte="nte-core")
    heads = made.filter(pl.col("role") == "headline").select("question", "estimand")
    assert sorted(heads.rows()) == [("RQ1", "rate_ratio"), ("RQ9", "ratio_of_rate_ratios")]
    assert set(made["method"]) == {
        IMPUTATION,
        PLACEBO,
        TREND_ADJUSTED,
        PRE_TREND,
        BEFORE_AFTER,
        "poisson_two_way_fixed_effects",
        "weighted_displacement_difference_quasi_poisson",
    }
    assert set(made["population"]) == {
        "treated hot spots",
        "ring any distance",
        "treated hot spots with their rings",
    }
    assert set(made["hours"]) == {"all", "nte:nte-core", "other:nte-core"}


def test_before_and_after_alone_is_never_impact() -> None:
    row = headline(run(steady()), BEFORE_AFTER)
    assert row["role"] == "not_impact"
    assert "not impact" in row["reason"]
    assert row["lower"] is None
    assert row["p_value"] is None


def test_events_prevented_and_ratio_tell_the_same_story() -> None:
    made = run(steady())
    ratio, events = headline(made), headline(made, estimand="events_prevented")
    figures = json.loads(ratio["diagnostics"])
    assert events["estimate"] == pytest.approx(
        figures["imputed_events"] - figures["observed_events"], abs=1e-6
    )
    assert (ratio["lower"] < 1 < ratio["upper"]) == (events["lower"] < 0 < events["upper"])
    assert events["estimate"] > 0 if ratio["estimate"] < 1 else events["estimate"] <= 0


def test_a_planted_rise_is_reported_as_a_rise() -> None:
    world = simulate.World(rate_ratio=1.3, weeks=208, starts=(104,), rate=3.0)
    row = headline(run(simulate.panel(world, 1)))
    assert row["lower"] > 1
    assert headline(run(simulate.panel(world, 1)), estimand="events_prevented")["estimate"] < 0


def test_minimum_detectable_effect_is_the_quantiles_times_the_error() -> None:
    from scipy import stats

    row = headline(run(steady()))
    degrees = json.loads(row["diagnostics"])["degrees_of_freedom"]
    reach = (stats.t.ppf(0.975, degrees) + stats.t.ppf(0.8, degrees)) * row["standard_error"]
    assert row["minimum_detectable_effect"] == pytest.approx(np.exp(-reach))
    assert json.loads(row["diagnostics"])["minimum_detectable_rise"] == pytest.approx(np.exp(reach))


def test_missing_counts_are_missing_and_not_zero() -> None:
    panel = steady()
    gap = pl.col("period_start") == panel["period_start"].unique().sort()[18]
    missing = run(panel.with_columns(count=pl.when(~gap).then("count")))
    absent = run(panel.filter(~gap))
    zero = run(panel.with_columns(count=pl.when(gap).then(0.0).otherwise("count")))
    assert headline(missing)["estimate"] == headline(absent)["estimate"]
    assert headline(missing)["n"] == headline(zero)["n"] - 8


def test_partial_periods_are_left_out() -> None:
    counts = np.full((6, 12), 5.0)
    counts[0, 6] = 500.0
    starts = [6, 6, 6, None, None, None]
    part = frozenset({(0, 6), (1, 6), (2, 6)})
    made = run(make_panel(counts, starts, partial=part))
    assert headline(made)["estimate"] == pytest.approx(1.0)
    assert json.loads(headline(made)["diagnostics"])["partial_place_periods"] == 3


@pytest.mark.parametrize(
    ("counts", "starts", "why"),
    [
        ([[5.0] * 6] * 4, [0, 0, None, None], "begin at or after the first day"),
        ([[5.0] * 6] * 4, [3, 3, 3, 3], "no comparison place"),
        ([[5.0] * 6] * 4, [None] * 4, "No place is patrolled"),
        ([[0.0] * 6] * 4, [3, 3, None, None], "No event was counted"),
        ([[0, 0, 0, 2, 3, 4], [0, 0, 0, 1, 1, 1], [3.0] * 6], [3, 3, None], "only zeros before"),
        ([[4.0] * 6, [3.0] * 6, [2, 2, 2, 0, 0, 0]], [3, 3, None], "nothing was to be expected"),
        ([[4.0] * 6, [3.0] * 6, [2, 2, 2, None, None, None]], [3, 3, None], "No untreated place"),
    ],
)
def test_what_is_not_identified_says_why(counts, starts, why) -> None:
    made = run(make_panel(counts, starts))
    row = headline(made)
    assert row["status"] == "not_identified"
    assert row["estimate"] is None
    assert why in row["reason"]
    others = made.filter((pl.col("role") != "not_impact") & pl.col("lower").is_not_null())
    assert others.filter(pl.col("method") == IMPUTATION).height == 0


def test_one_treated_place_has_no_interval_and_says_so() -> None:
    made = run(steady(n=6, treated=1))
    row = headline(made)
    assert row["status"] == "estimated"
    assert row["lower"] is None
    assert row["minimum_detectable_effect"] is None
    assert "One treated place" in row["reason"]
    assert headline(made, PLACEBO)["p_value"] > 0


def test_one_comparison_place_has_no_interval_and_says_so() -> None:
    row = headline(run(steady(n=5, treated=4)))
    assert row["lower"] is None
    assert "single place" in row["reason"]


def test_places_patrolled_from_their_first_count_are_left_out_and_counted() -> None:
    counts = np.random.default_rng(5).poisson(6, size=(8, 12)).astype(float)
    made = headline(run(make_panel(counts, [0, 0, 6, 6, 6, None, None, None])))
    assert json.loads(made["diagnostics"])["treated_place_periods_left_out"] == 24
    assert json.loads(made["diagnostics"])["treated_places"] == 3
    assert "24 of 42" in made["reason"]


def test_nothing_after_the_start_is_a_ratio_of_zero_without_interval() -> None:
    counts = np.full((6, 8), 4.0)
    counts[:3, 4:] = 0
    row = headline(run(make_panel(counts, [4, 4, 4, None, None, None])))
    assert (row["status"], row["estimate"], row["lower"]) == ("estimated", 0.0, None)
    assert "ratio is 0" in row["reason"]


def test_an_outcome_that_is_not_in_the_panel_is_not_supplied() -> None:
    other = {"absent": PlannedOutcome("RQ2", "Absent", None, "beside")}
    row = headline(run(steady(), outcomes=other))
    assert row["status"] == "not_supplied"
    empty = run(steady().with_columns(count=pl.lit(None, dtype=pl.Float64)))
    assert headline(empty)["status"] == "not_supplied"


def test_empty_panel_and_one_row() -> None:
    assert headline(run(steady().head(0)))["status"] == "not_supplied"
    assert headline(run(steady().head(1)))["status"] == "not_identified"
    assert headline(run(steady().filter(pl.col("period_start").dt.year() == 2019).head(0)))


def test_one_period() -> None:
    panel = steady()
    last = panel.filter(pl.col("period_start") == pl.col("period_start").max())
    assert headline(run(last))["status"] == "not_identified"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"count": pl.lit(-1.0)}, "contract"),
        ({"count": pl.lit(float("nan"))}, "contract"),
        ({"count": pl.lit(float("inf"))}, "contract"),
        ({"count": pl.lit("five")}, "contract"),
        ({"kind": pl.lit("beat")}, "contract"),
    ],
)
def test_what_breaks_the_contract_is_refused(change, why) -> None:
    with pytest.raises(ContractError, match=why):
        run(steady().with_columns(**change))


def test_a_cell_given_twice_is_refused() -> None:
    with pytest.raises(ContractError, match="more than once"):
        run(pl.concat([steady(), steady().head(1)]))


def test_mixed_periods_are_refused() -> None:
    with pytest.raises(ContractError, match="mixes periods"):
        run(
            steady().with_columns(
                period_kind=pl.when(pl.col("place_id") == "P00")
                .then(pl.lit("week"))
                .otherwise("period_kind")
            )
        )


@pytest.mark.parametrize("setting", [{"level": 1.0}, {"permutations": -1}, {"leads": -1}])
def test_senseless_settings_are_refused(setting) -> None:
    with pytest.raises(ValueError, match="level lies between"):
        run(steady(), **setting)


def test_huge_counts_and_empty_places() -> None:
    rng = np.random.default_rng(3)
    counts = rng.poisson(1e6, size=(10, 24)).astype(float)
    counts[4] = 0
    counts[9] = 0
    made = headline(run(make_panel(counts, [12] * 5 + [None] * 5)))
    assert made["status"] == "estimated"
    assert made["estimate"] == pytest.approx(1.0, abs=0.01)
    assert json.loads(made["diagnostics"])["places_without_untreated_events"] == 2


def test_fractions_from_uncertain_times() -> None:
    tenth = run(steady().with_columns(count=pl.col("count") / 10))
    assert headline(tenth)["estimate"] == pytest.approx(headline(run(steady()))["estimate"])


def test_unsorted_input_and_second_run_are_identical() -> None:
    panel = with_rings(with_hours(steady()))
    first = run(panel, nte="nte-core")
    assert first.equals(run(panel, nte="nte-core"))
    mixed = panel.sample(fraction=1.0, shuffle=True, seed=8)
    assert first.equals(run(mixed, nte="nte-core"))


def test_another_outcome_does_not_move_the_permutations() -> None:
    panel = pl.concat([steady(), steady().with_columns(outcome=pl.lit("alpha"))])
    more = PLAN | {"alpha": PlannedOutcome("RQ2", "Alpha", None, "beside")}
    alone, beside = run(panel), run(panel, outcomes=more).filter(pl.col("outcome") == "planted")
    assert headline(alone, PLACEBO) == headline(beside, PLACEBO)


def test_hours_contrast_is_the_ratio_of_the_two() -> None:
    made = run(with_hours(steady()), nte="nte-core")
    night = headline(made, question="RQ9", hours="nte:nte-core")
    other = headline(made, question="RQ9", hours="other:nte-core")
    both = headline(made, estimand="ratio_of_rate_ratios")
    assert both["estimate"] == pytest.approx(night["estimate"] / other["estimate"])
    assert both["lower"] < both["estimate"] < both["upper"]


def test_rings_by_band_and_net_are_sums() -> None:
    panel = with_rings(steady())
    bands = {f"ring-P{i:02d}": "0-100 m" for i in range(8)}
    made = run(panel, bands=bands)
    ring = headline(made, population="ring 0-100 m")
    net = headline(made, population="treated hot spots with their rings")
    spot = headline(made, population="treated hot spots")
    assert ring["estimate"] == pytest.approx(spot["estimate"])
    assert net["estimate"] == pytest.approx(spot["estimate"])
    assert net["n_events"] == 2 * spot["n_events"]


def test_areas_alone_take_the_headline() -> None:
    areas = run(steady().with_columns(kind=pl.lit("lsoa")))
    row = headline(areas)
    assert (row["population"], row["role"]) == ("areas with treated hot spots", "headline")


def test_event_study_leads_are_one_on_average_and_horizons_are_named() -> None:
    world = simulate.World(weeks=156, starts=(104,), rate=4.0)
    made = run(simulate.panel(world, 2)).filter(pl.col("estimand") == "event_study_rate_ratio")
    before = made.filter(pl.col("horizon").str.contains("=-"))
    after = made.filter(~pl.col("horizon").str.contains("=-"))
    assert sorted(before["horizon"]) == [f"quarter=-{k}" for k in (1, 2, 3, 4)]
    assert "quarter=0" in set(after["horizon"])
    assert before["estimate"].mean() == pytest.approx(1.0, abs=0.08)
    assert after["estimate"].mean() == pytest.approx(0.85, abs=0.08)


def test_event_study_steps_shorter_than_the_period_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter than"):
        run(steady(), widths=("week",))


def test_pre_trend_slope_is_found_with_its_power() -> None:
    world = simulate.World(weeks=208, starts=(156,), rate=4.0, trend_a_year=-0.25, rate_ratio=1.0)
    made = run(simulate.panel(world, 3))
    slope = headline(made, PRE_TREND, estimand="pre_trend_slope")
    assert slope["upper"] < 1
    assert 0.05 <= json.loads(slope["diagnostics"])["power_against_that_slope"] <= 1
    assert headline(made)["upper"] < 1  # the trend, taken for an effect
    adjusted = headline(made, TREND_ADJUSTED)
    assert adjusted["lower"] < 1 < adjusted["upper"]


def test_negative_controls_trip_when_they_move() -> None:
    moved = simulate.World(rate_ratio=0.6, weeks=104, starts=(52,), rate=4.0)
    still = simulate.World(rate_ratio=1.0, weeks=104, starts=(52,), rate=4.0)
    panel = pl.concat(
        [
            simulate.panel(moved, 1).with_columns(outcome=pl.lit("b-moved")),
            simulate.panel(still, 1).with_columns(outcome=pl.lit("a-still")),
        ]
    )
    plans = {
        name: PlannedOutcome("RQ2", name, None, "negative_control")
        for name in ("a-still", "b-moved", "c-absent")
    }
    made = run(panel, outcomes=plans)
    assert set(made["role"]) == {"negative_control", "placebo"}
    found = negative_controls(made)
    assert found.run == ("a-still", "b-moved")
    assert found.tripped == ("b-moved",)
    assert found.not_run == ("c-absent",)
    assert found.expected_by_chance == pytest.approx(0.1)


def test_no_text_assumes_benefit() -> None:
    made = run(with_rings(with_hours(steady())), nte="nte-core")
    words = " ".join(str(r).lower() for r in made["reason"].drop_nulls())
    for word in ("success", "improve", "worked", "benefit"):
        assert word not in words


def test_half_the_data_missing_at_random_never_crashes() -> None:
    rng = np.random.default_rng(11)
    for _ in range(10):
        n, months = int(rng.integers(2, 9)), int(rng.integers(1, 10))
        counts = rng.poisson(rng.choice([0.1, 1.0, 5.0]), size=(n, months)).astype(float)
        counts[rng.random((n, months)) < 0.4] = np.nan
        starts = [None if rng.random() < 0.4 else int(rng.integers(0, months)) for _ in range(n)]
        made = run(with_rings(make_panel(counts, starts)), permutations=19)
        silent = made.filter((pl.col("status") != "estimated") & pl.col("reason").is_null())
        assert silent.height == 0


def test_an_estimate_that_rests_on_one_comparison_place_in_some_periods_has_no_interval() -> None:
    counts = np.random.default_rng(4).poisson(9, size=(6, 10)).astype(float)
    counts[4:, 7:] = np.nan
    made = headline(run(make_panel(counts, [5, 5, 5, None, None, None])))
    assert made["status"] == "estimated"
    assert made["lower"] is None
    assert "single place" in made["reason"]


def test_hours_that_count_alike_differ_by_exactly_nothing() -> None:
    panel = steady()
    both = [panel.with_columns(hours=pl.lit(hours)) for hours in ("nte", "other")]
    made = run(pl.concat([panel, *both]), nte="nte-core")
    row = headline(made, estimand="ratio_of_rate_ratios")
    assert row["estimate"] == pytest.approx(1.0)
    assert row["standard_error"] == pytest.approx(0.0, abs=1e-12)


def test_a_negative_control_that_rises_trips_too() -> None:
    world = simulate.World(rate_ratio=1.6, weeks=104, starts=(52,), rate=4.0)
    plans = {"planted": PlannedOutcome("RQ2", "Planted", None, "negative_control")}
    assert negative_controls(run(simulate.panel(world, 1), outcomes=plans)).tripped == ("planted",)


def test_places_and_periods_without_a_chain_between_them_are_not_identified() -> None:
    counts = np.random.default_rng(6).poisson(9, size=(4, 8)).astype(float)
    counts[2, 4:] = np.nan  # one comparison place is counted before only
    counts[3, :4] = np.nan  # and the other one after only
    made = headline(run(make_panel(counts, [4, 4, None, None])))
    assert made["status"] == "not_identified"
    assert "No untreated count ties" in made["reason"]


def test_leads_are_predicted_from_earlier_counts_only() -> None:
    counts = np.full((6, 18), 5.0)
    counts[:3, 9:12] = 10.0  # the last quarter before the start is twice the rest
    made = run(make_panel(counts, [12, 12, 12, None, None, None]))
    steps = made.filter(pl.col("estimand") == "event_study_rate_ratio")
    ratio = dict(zip(steps["horizon"], steps["estimate"], strict=True))
    assert ratio["quarter=-1"] == pytest.approx(2.0)
    assert ratio["quarter=-2"] == pytest.approx(1.0)
    # After the start the whole time before is the base: 60 + 15 events in 12 months there.
    assert ratio["quarter=0"] == pytest.approx(12 / 15)
