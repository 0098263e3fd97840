"""The effect without the periods around events, under every set of hours, by group of victims."""

import json
import shutil
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from placeproof import calendar, effects
from placeproof.definitions import shocks
from placeproof.study import night_patrols, reading, subgroups, uncertain_times, varying
from placeproof.study.estimating import for_estimation, planned_outcomes
from placeproof.study.lock import lock_state
from placeproof.study.plan import read_plan
from placeproof.study.run import STEPS
from placeproof.study.settings import read_study
from placeproof.study.work import Work
from tests.study.conftest import make_study, quiet, shortened

HEADLINES = {"sv-street-nondom": "RQ1", "all-crime-reported": "RQ2", "asb-all": "RQ3"}
FIGURES = ("estimate", "lower", "upper", "standard_error", "minimum_detectable_effect", "n")
COVID = [date(2020 + k // 12, k % 12 + 1, 1) for k in range(2, 19)]
"""March 2020 to July 2021: the restrictions ended on 18 July."""
REOPENING = [date(2021, 6, 1), date(2021, 7, 1), date(2021, 8, 1)]
RECORDING = [date(2023, 1, 1), date(2023, 2, 1), date(2023, 3, 1)]


def worked(folder: Path) -> Work:
    """A run up to its panel."""
    study, plan = read_study(folder), read_plan(folder)
    lock = lock_state(folder, plan, outcomes_public=False, mappings={})
    work = Work(study, plan, lock, reading.read_all(study, quiet), quiet)
    for name, _, steps in STEPS:
        if name == "effects":
            return work
        for step in steps:
            step(work)
    raise AssertionError


@dataclass(frozen=True)
class Varied:
    """A run up to its panel, and what varying adds."""

    work: Work
    events: pl.DataFrame
    nights: pl.DataFrame
    victims: pl.DataFrame


@pytest.fixture(scope="module")
def varied(northmere: Path, tmp_path_factory: pytest.TempPathFactory) -> Varied:
    folder = tmp_path_factory.mktemp("varied") / "study"
    work = worked(shortened(Path(shutil.copytree(northmere, folder))))
    return Varied(
        work,
        added(work, varying.leave_events_out),
        added(work, varying.list_night_hours),
        added(work, subgroups.split_by_victim),
    )


def added(work: Work, step: object) -> pl.DataFrame:
    again = replace(work, estimates=[])
    step(again)  # type: ignore[operator]
    return pl.concat(again.estimates) if again.estimates else pl.DataFrame()


def with_tables(work: Work, **tables: pl.DataFrame | None) -> Work:
    kept = {k: v for k, v in (work.inputs.tables | tables).items() if v is not None}
    return replace(work, inputs=replace(work.inputs, tables=kept))


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "first", "last"),
    [
        (date(2020, 3, 23), date(2021, 7, 18), date(2020, 3, 23), date(2021, 7, 18)),
        (date(2021, 7, 19), date(2021, 7, 19), date(2021, 7, 19), date(2021, 7, 19)),
        (date(2021, 7, 19), None, date(2021, 6, 1), date(2021, 8, 31)),
        (date(2023, 1, 1), None, date(2022, 12, 1), date(2023, 2, 28)),
        (date(2024, 1, 31), None, date(2023, 12, 1), date(2024, 2, 29)),
        (date(2021, 12, 31), None, date(2021, 11, 1), date(2022, 1, 31)),
    ],
)
def test_the_days_that_an_event_covers(
    starts_on: date, ends_on: date | None, first: date, last: date
) -> None:
    assert varying.around(starts_on, ends_on) == (first, last)


@pytest.mark.parametrize(("event", "gone"), [("S1", COVID), ("S2", REOPENING), ("S3", RECORDING)])
def test_the_effect_without_an_event_is_the_first_set_on_what_is_left(
    varied: Varied, event: str, gone: list[date]
) -> None:
    work = varied.work
    assert work.panel is not None
    kept = for_estimation(work, work.panel).filter(~pl.col("period_start").is_in(gone))
    planned = planned_outcomes(work)
    by_hand = effects.first_set(
        kept, outcomes={name: planned[name] for name in HEADLINES}, level=0.95, permutations=0,
        rng=np.random.default_rng(1), widths=(), leads=0, nte=None, bands={},
    ).filter(
        population="treated hot spots", estimand="rate_ratio", hours="all", subgroup="all",
        method="poisson_imputation_jackknife",
    )  # fmt: skip
    made = varied.events.filter(estimand="rate_ratio", horizon=f"without={event}")
    assert dict(made.select("outcome", "question").iter_rows()) == HEADLINES
    assert set(made["status"]) == {"estimated"}
    assert set(made["role"]) == {"robustness"}
    assert made["feeds"].str.contains("shock").all()
    for row in made.iter_rows(named=True):
        twin = by_hand.filter(outcome=row["outcome"]).row(0, named=True)
        assert {name: row[name] for name in FIGURES} == {name: twin[name] for name in FIGURES}


def test_every_registered_event_is_told_of_every_headline(varied: Varied) -> None:
    ratios = varied.events.filter(estimand="rate_ratio")
    found = set(ratios.select("outcome", "horizon").iter_rows())
    assert found == {(name, f"without=S{k}") for name in HEADLINES for k in (1, 2, 3)}


def test_without_a_register_the_shipped_events_count_and_those_elsewhere_say_so(
    varied: Varied,
) -> None:
    made = added(with_tables(varied.work, shock=None), varying.leave_events_out)
    ratios = made.filter(estimand="rate_ratio", outcome="asb-all")
    assert set(ratios["horizon"]) == {f"without={name}" for name in shocks()["shock_id"]}
    assert not ratios["feeds"].str.contains("shock").any()
    long_ago = ratios.filter(horizon="without=recording-2017").row(0, named=True)
    assert (long_ago["status"], long_ago["reason"]) == ("not_identified", "Outside the data.")


def test_an_event_of_which_no_period_serves_the_headline_says_so(varied: Varied) -> None:
    chosen = varied.work.plan
    register = varied.work.inputs.tables["shock"].head(1)
    register = register.with_columns(
        starts_on=pl.lit(chosen.selection_from), ends_on=pl.lit(chosen.selection_to)
    )
    made = added(with_tables(varied.work, shock=register), varying.leave_events_out)
    assert set(made["status"]) == {"not_identified"}
    assert set(made["reason"]) == {"Already left out of the headline."}


def test_an_event_that_covers_every_month_leaves_too_little(
    varied: Varied,
) -> None:
    register = varied.work.inputs.tables["shock"].head(1)
    register = register.with_columns(starts_on=date(2010, 1, 1), ends_on=date(2030, 1, 1))
    none = added(with_tables(varied.work, shock=register), varying.leave_events_out)
    assert set(none["status"]) == {"not_identified"}
    assert none["reason"].str.starts_with("Too little is left. ").all()
    assert none["estimate"].null_count() == none.height == 3


def test_nothing_is_varied_while_outcomes_are_masked(varied: Varied) -> None:
    work = replace(varied.work, lock=replace(varied.work.lock, state="open"))
    assert added(work, varying.leave_events_out).is_empty()
    assert added(work, varying.list_night_hours).is_empty()
    assert added(work, subgroups.split_by_victim).is_empty()
    assert added(work, night_patrols.follow_night_patrols).is_empty()
    assert added(work, uncertain_times.place_times_otherwise).is_empty()


def test_results_stand_under_every_set_of_hours(varied: Varied) -> None:
    counts = varied.nights.filter(estimand="count")
    assert counts.height == len(HEADLINES) * len(calendar.NTE_PRESETS) * 2
    assert dict(counts.group_by("role").len().iter_rows()) == {"description": 6, "robustness": 18}
    rest = varied.nights.filter(question="RQ9").filter(pl.col("estimand") != "count")
    assert set(rest["role"]) == {"robustness"}
    assert not rest["hours"].str.ends_with("nte-core").any()
    assert rest.height == len(HEADLINES) * 3 * 3


def test_hours_and_other_hours_sum_to_every_event_with_a_time(varied: Varied) -> None:
    work = varied.work
    assert work.panel is not None
    spots = work.panel.filter(kind="hotspot", group="treated", hours="all")
    for outcome in HEADLINES:
        cells = spots.filter(outcome=outcome).drop_nulls("count")
        events = work.selected[outcome].filter(
            pl.col("place_id").is_in(cells["place_id"].unique().implode()),
            pl.col("occurred_from").is_not_null() & pl.col("occurred_to").is_not_null(),
        )
        # A crime whose time may lie on either side of the panel's ends counts in part.
        total = varied.nights.filter(estimand="count", outcome=outcome)
        sums = total.group_by(pl.col("hours").str.extract(":(.*)")).agg(pl.col("estimate").sum())
        assert sums.height == 4
        assert sums["estimate"].max() - sums["estimate"].min() < 1e-6
        untimed = (
            work.selected[outcome].height
            - work.selected[outcome].filter(pl.col("occurred_from").is_not_null()).height
        )
        assert sums["estimate"][0] <= cells["count"].sum() + 1e-6
        if not untimed:
            assert sums["estimate"][0] == pytest.approx(cells["count"].sum(), abs=1e-6)
            assert sums["estimate"][0] <= events.height


@pytest.mark.parametrize(
    ("preset", "hours"),
    [("nte-late", range(6)), ("nte-wide", (18, 19, 20, 21, 22, 23, *range(6))),
     ("nte-peak", (23, 0, 1, 2))],
)  # fmt: skip
def test_exact_times_are_counted_as_the_clock_on_the_wall_says(
    varied: Varied, preset: str, hours: range | tuple[int, ...]
) -> None:
    made = added(with_tables(varied.work, event=None), varying.list_night_hours)
    told = made.filter(estimand="count", outcome="asb-all", hours=f"nte:{preset}")
    first, last = told["window_start"].item(), told["window_end"].item()
    spots = varied.work.places.filter(kind="hotspot", group="treated")  # type: ignore[union-attr]
    events = varied.work.selected["asb-all"].filter(
        pl.col("place_id").is_in(spots["place_id"].implode())
    )
    assert (events["occurred_from"] == events["occurred_to"]).all()
    inside = 0
    for at in events["occurred_from"]:
        local: datetime = at.astimezone(ZoneInfo("Europe/London"))
        day = local.date().toordinal() - (local.hour < 6)
        inside += local.hour in hours and first.toordinal() <= day <= last.toordinal()
    assert inside > 100
    assert told["estimate"].item() == pytest.approx(inside)


def test_public_data_say_once_that_they_carry_no_times(tmp_path: Path) -> None:
    work = worked(make_study(tmp_path / "s", permutations="0"))
    made = added(work, varying.list_night_hours)
    assert made.select("question", "hours", "status").rows() == [("RQ9", "nte", "not_identified")]
    assert "no time of day" in made["reason"].item()


def test_groups_of_victims_and_those_not_recorded_sum_to_every_event(varied: Varied) -> None:
    work = varied.work
    whole = (
        for_estimation(work, work.panel)
        .filter(hours="all")
        .filter(  # type: ignore[arg-type]
            pl.col("kind").is_in(["hotspot", "comparison"])
        )
    )
    for outcome in ("sv-street-nondom", "all-crime-reported"):
        events = subgroups.labelled(work.selected[outcome], work.plan)
        made = [
            subgroups._split(work, outcome, events, variable)
            for variable in work.plan.subgroups.victim_variables
        ]
        for one in made:
            counted = pl.concat(one.panels.values()).filter(hours="all")
            total = whole.filter(outcome=outcome)["count"].sum()
            assert counted["count"].sum() == pytest.approx(total), one.variable
            assert one.edition in {"age-8@1", "sex-2@1", "ethnic-5-census-2021@1"}


def test_patrols_that_do_the_same_for_all_show_no_group_apart(
    varied: Varied, northmere: Path
) -> None:
    """The truth of the rehearsal is the same for all victims; most intervals hold it."""
    planted = json.loads((northmere / "truth.json").read_text(encoding="utf-8"))["effects"]
    at = {"outcome": "sv-street-nondom", "population": "treated hot spots", "hours": "all"}
    truth = next(row for row in planted if at.items() <= row.items())["rate_ratio"]
    rows = varied.victims.filter(
        outcome="sv-street-nondom", estimand="rate_ratio", role="beside", status="estimated"
    )
    assert rows.height >= 14
    held = rows.filter(pl.col("lower") <= truth, pl.col("upper") >= truth)
    assert held.height >= 0.85 * rows.height
    contrasts = varied.victims.filter(estimand="ratio_of_rate_ratios", role="beside")
    assert contrasts.height >= 20
    adjusted = [json.loads(text).get("p_value_holm", 1.0) for text in contrasts["diagnostics"]]
    assert min(adjusted) > 0.05


def test_incidents_carry_no_victim(varied: Varied) -> None:
    disorder = varied.victims.filter(outcome="asb-all")
    assert disorder["status"].to_list() == ["not_supplied"]
    assert disorder["reason"][0] == "Incidents of anti-social behaviour carry no victim."
    shares = varied.victims.filter(estimand="unrecorded_victim_share", horizon="all")
    assert shares.height == 6


def test_a_record_without_victims_says_so_once(varied: Varied) -> None:
    work = varied.work
    bare = {
        name: events.with_columns(
            victim_age=pl.lit(None, pl.Int64),
            victim_sex=pl.lit(None, pl.String),
            victim_ethnicity=pl.lit(None, pl.String),
        )
        for name, events in work.selected.items()
    }
    found = added(replace(work, selected=bare), subgroups.split_by_victim)
    assert set(found["status"]) == {"not_supplied"}
    assert found.height == 3
    assert found.filter(outcome="sv-street-nondom")["reason"][0].startswith("The records say")


def test_uncertain_times_are_placed_in_three_ways_and_no_event_is_lost(varied: Varied) -> None:
    events = varied.work.selected["all-crime-reported"]
    wide = uncertain_times.is_uncertain(events)
    assert 0.05 < wide.mean() < 0.9  # type: ignore[operator]
    exact = events.filter(~wide)
    for moment in uncertain_times.MOMENTS:
        moved = uncertain_times.at_moment(events, moment)
        assert not uncertain_times.is_uncertain(moved).any()
        assert moved.filter(~wide).equals(exact)
        inside = (moved["occurred_from"] >= events["occurred_from"]) & (
            moved["occurred_from"] <= events["occurred_to"]
        )
        assert inside.all()
    found = added(varied.work, uncertain_times.place_times_otherwise)
    assert set(found["horizon"]) == {"times=start", "times=middle"}
    assert set(found["role"]) == {"robustness"}
    contrasts = found.filter(estimand="ratio_of_rate_ratios")
    assert "all-crime-reported" in set(contrasts["outcome"])
    counted = found.filter(estimand="rate_ratio", outcome="all-crime-reported").group_by("horizon")
    whole = for_estimation(varied.work, varied.work.panel).filter(  # type: ignore[arg-type]
        pl.col("kind").is_in(["hotspot", "comparison"]),
        pl.col("hours").is_in(["nte", "other"]),
        outcome="all-crime-reported",
    )
    used = whole.filter(pl.col("treated").is_not_null())["count"].sum()
    for total in counted.agg(pl.col("n_events").sum())["n_events"]:
        assert total == pytest.approx(used, rel=0.01)


def test_the_hours_around_the_nights_hold_the_planted_truth(
    varied: Varied, northmere: Path
) -> None:
    """Patrols of this force do as much in every other hour, whatever lies beside the night."""
    planted = json.loads((northmere / "truth.json").read_text(encoding="utf-8"))["effects"]
    found = added(varied.work, night_patrols.follow_night_patrols)
    for outcome in HEADLINES:
        at = {"outcome": outcome, "population": "treated hot spots", "subgroup": "all"}
        truth = {row["hours"]: row["rate_ratio"] for row in planted if at.items() <= row.items()}
        bands = found.filter(outcome=outcome, estimand="rate_ratio", status="estimated")
        assert set(bands["hours"]) == {f"{band}:nte-core" for band in ("before", "after", "rest")}
        for row in bands.to_dicts():
            assert row["lower"] < truth["other:nte-core"] < row["upper"], row["hours"]
        first = found.filter(outcome=outcome, subgroup="first_tasked=at night")
        assert first["reason"][0].startswith("Every place was tasked in night-time hours")
    nights = found.filter(estimand="tasked_night_rate_ratio", status="estimated")
    assert nights.height >= 10
    assert set(nights["horizon"]) == {"day=0", "day=1"}


def test_without_tasking_nothing_is_said_of_nights_with_a_patrol(varied: Varied) -> None:
    found = added(with_tables(varied.work, tasking=None), night_patrols.follow_night_patrols)
    nights = found.filter(estimand="tasked_night_rate_ratio")
    assert set(nights["status"]) == {"not_supplied"}
    assert set(found.filter(estimand="rate_ratio")["status"]) == {"estimated"}


@pytest.mark.slow
def test_patrols_that_work_at_night_alone_leave_the_other_hours_unchanged(tmp_path: Path) -> None:
    from placeproof.rehearsal import write_force

    folder = write_force(tmp_path / "force", seed=1, size="small", effect="nte-only")
    found = added(worked(shortened(folder)), night_patrols.follow_night_patrols)
    bands = found.filter(estimand="rate_ratio", status="estimated")
    assert bands.height == 9
    assert bands.filter(pl.col("lower") > 1).is_empty()
    assert bands.filter(pl.col("upper") < 1).is_empty()
    night = found.filter(estimand="ratio_of_rate_ratios", hours="rest:nte-core")
    violence = night.filter(outcome="sv-street-nondom").to_dicts()[0]
    assert violence["lower"] < 0.75 < violence["upper"] < 1
