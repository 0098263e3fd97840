"""A rehearsal whose data begin with the patrols: the run says so, and speaks of later cohorts."""

import json
from pathlib import Path

import polars as pl
import pytest

from placeproof.errors import SettingsError
from placeproof.rehearsal import write_force
from placeproof.study import dosing, estimating
from placeproof.study.plan import read_plan
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
