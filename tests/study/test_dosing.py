"""A rehearsal whose data begin with the patrols: the run says so, and speaks of later cohorts."""

import json
from pathlib import Path

import polars as pl
import pytest

from placeproof.errors import SettingsError
from placeproof.rehearsal import write_force
from placeproof.study import dosing, estimating
from placeproof.study.plan import read_plan
from tests.study.conftest import shortened
from tests.study.test_varying import worked

START = "2021-07-26"


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pl.DataFrame]:
    """The first patrols and the first counts on one day: a run up to its effects."""
    from datetime import date

    folder = tmp_path_factory.mktemp("late") / "study"
    write_force(folder, seed=1, size="small", effect="default", begin=date.fromisoformat(START))
    path = folder / "plan.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    short = {"also": "also = []", "permutations": "permutations = 0"}
    path.write_text(
        "\n".join(short.get(line.split(" = ")[0], line) for line in lines), encoding="utf-8"
    )
    work = worked(folder)
    estimating.estimate_effects(work)
    dosing.say_what_is_identified(work)
    return folder, pl.concat(work.estimates)


def test_the_first_cohort_is_not_identified_and_has_no_number(late) -> None:
    _, made = late
    cohorts = made.filter(estimand="untreated_periods", outcome="sv-street-nondom")
    assert cohorts.height == 4
    first, *later = cohorts.sort("subgroup").iter_rows(named=True)
    assert first["subgroup"] == f"cohort={START}"
    assert first["estimate"] == 0
    assert "begin at or after" in first["reason"]
    assert all(row["reason"] is None and row["estimate"] > 8 for row in later)
    effects = made.filter(pl.col("subgroup") == f"cohort={START}", pl.col("unit") == "ratio")
    assert effects.height
    assert effects["status"].unique().to_list() == ["not_identified"]
    assert effects["estimate"].null_count() == effects.height


def test_planted_effects_of_later_cohorts_are_recovered(late) -> None:
    folder, made = late
    planted = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    starts = {day: cohort for cohort, day in planted["starts"].items()}
    truth = {
        (row["outcome"], row["subgroup"]): row["rate_ratio"]
        for row in planted["rate_ratios"]
        if row["hours"] == "all" and row["population"] == "treated hot spots"
    }
    held = [
        row["lower"] <= truth[row["outcome"], starts[row["subgroup"][7:]]] <= row["upper"]
        for row in made.filter(
            pl.col("subgroup").str.starts_with("cohort="),
            method="poisson_imputation_jackknife", estimand="rate_ratio", status="estimated",
        ).iter_rows(named=True)
    ]  # fmt: skip
    assert len(held) == 9
    assert sum(held) >= 8


def test_history_may_follow_the_selection_window_and_not_overlap_it(late) -> None:
    folder, _ = late
    assert read_plan(folder).history_from > read_plan(folder).selection_to
    path = folder / "plan.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(f"history_from = {START}", "history_from = 2021-06-01"))
    try:
        with pytest.raises(SettingsError, match="is not before"):
            read_plan(folder)
    finally:
        path.write_text(text, encoding="utf-8")


def test_data_of_a_rehearsal_begin_around_the_patrols_or_as_usual(tmp_path: Path) -> None:
    from datetime import date

    with pytest.raises(SettingsError, match="cannot begin"):
        write_force(tmp_path / "x", seed=1, size="small", effect="none", begin=date(2022, 6, 1))


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """A planted effect of tasked days, which chance allots from October 2022 on."""
    folder = tmp_path_factory.mktemp("days") / "study"
    write_force(folder, seed=1, size="small", effect="days")
    path = shortened(folder) / "plan.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("permutations = 0", "permutations = 199"), encoding="utf-8")
    work = worked(folder)
    before = len(work.estimates)
    dosing.compare_tasked_days(work)
    return pl.concat(work.estimates[before:])


def test_the_planted_effect_of_a_day_is_recovered_by_the_lots_and_within_places(days) -> None:
    asked = days.filter(
        pl.col("outcome").is_in(["sv-street-nondom", "asb-all"]),
        estimand="tasked_day_rate_ratio", subgroup="days=by lot", hours="all",
    )  # fmt: skip
    assert asked.height == 6
    for row in asked.iter_rows(named=True):
        assert row["lower"] < 0.70 < row["upper"], row
        assert row["upper"] < 1.02
    by_lot = asked.filter(method="mantel_haenszel_randomisation_inference")
    assert by_lot["p_value"].to_list() == [pytest.approx(1 / 200)] * 2


def test_what_is_left_on_later_days_is_recovered_and_summed(days) -> None:
    asb = days.filter(outcome="asb-all", subgroup="days=by lot")
    found = {row["horizon"]: row for row in asb.iter_rows(named=True) if "lag" in row["estimand"]}
    planted = {"day=1": 0.85, "day=2": 0.92, "days=0-7": 0.70 * 0.85 * 0.92 * 0.96}
    for horizon, ratio in planted.items():
        assert found[horizon]["lower"] < ratio < found[horizon]["upper"]


def test_where_people_chose_every_day_nothing_is_compared_and_no_place_is_named(days) -> None:
    others = days.filter(subgroup="days=not by lot")
    assert others["status"].unique().to_list() == ["not_identified"]
    assert not days["population"].str.contains("NM|QB").any()
    assert set(days["subgroup"]) == {"days=by lot", "days=not by lot"}


def test_spans_of_lots_leave_out_places_where_people_chose_as_well() -> None:
    from datetime import UTC, datetime

    rows = [("A", 2, True), ("A", 5, True), ("B", 2, True), ("B", 3, False), ("B", 5, True)]
    rows += [("C", 1, False), ("C", 3, True), ("D", 3, None)]
    tasking = pl.DataFrame(
        {
            "hotspot_id": [name for name, _, _ in rows],
            "window_from": [datetime(2022, 1, day, 12, tzinfo=UTC) for _, day, _ in rows],
            "randomised": [lot for _, _, lot in rows],
        }
    )
    found = dosing.allotted_by_lot(tasking).rows()
    assert [(name, first.day, last.day) for name, first, last in found] == [
        ("A", 2, 5),
        ("C", 3, 3),
    ]
