"""A run: whole or absent, the same twice, honest about what it lacks."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from placeproof.errors import InputError, OutputError, SettingsError
from placeproof.study import store
from placeproof.study.check import check
from placeproof.study.run import STEPS, run
from placeproof.study.showing import report_of, show
from tests.study.conftest import make_study, plan, quiet


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small study that was run once."""
    folder = make_study(tmp_path_factory.mktemp("evaluated") / "study")
    run(folder, until=None, progress=quiet)
    return folder


def test_a_run_answers_every_question_and_accounts_for_every_row(evaluated: Path) -> None:
    folder = report_of(evaluated).parent
    content = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    assert [row["question"] for row in content["answers"]] == [f"RQ{i}" for i in range(1, 11)]
    status = {row["question"]: row["status"] for row in content["answers"]}
    assert status["RQ1"] == status["RQ2"] == status["RQ3"] == "partly"
    assert {status[f"RQ{i}"] for i in (4, 5, 6, 7, 10)} == {"not answerable"}
    receipts = pl.read_parquet(folder / "tables" / "receipts.parquet")
    lines = sum(
        len(path.read_text(encoding="utf-8").splitlines()) - 1
        for path in (evaluated / "data" / "archive").rglob("*.csv")
    )
    assert receipts["rows_in"].sum() == lines == receipts["rows_kept"].sum()
    for name in ("report.html", "report.pdf", "report.docx"):
        assert (folder / name).stat().st_size > 10_000


def test_two_runs_are_byte_identical(evaluated: Path, tmp_path: Path) -> None:
    again = tmp_path / "elsewhere"
    shutil.copytree(evaluated, again, ignore=shutil.ignore_patterns("runs", "results"))
    first = report_of(evaluated).parent
    second = run(again, until=None, progress=quiet).folder
    assert second.name == first.name
    assert store.hashes_of_files(second) == store.hashes_of_files(first)


def test_no_path_of_a_machine_and_no_clock_in_a_result(evaluated: Path) -> None:
    folder = report_of(evaluated).parent
    for name in ("manifest.json", "answers.json", "report.html"):
        text = (folder / name).read_text(encoding="utf-8")
        assert str(evaluated.parent) not in text
        assert time.strftime("%Y-%m-%d") not in text


def test_show_an_answer_and_a_finding(evaluated: Path) -> None:
    shown = show(evaluated, "rq1")
    assert shown.text.startswith("RQ1: What effect did the patrols have")
    finding = shown.content["findings"][0]["finding_id"]  # type: ignore[index]
    assert "2020-01-inventshire-street.csv" in show(evaluated, finding).text
    with pytest.raises(SettingsError, match="neither a question nor"):
        show(evaluated, "RQ11")


def test_a_run_that_stops_early_never_becomes_the_newest(evaluated: Path) -> None:
    newest = report_of(evaluated)
    made = run(evaluated, until="panel", progress=quiet)
    assert not made.whole
    assert not (made.folder / "report.html").exists()
    assert (made.folder / "tables" / "panel.parquet").is_file()
    assert report_of(evaluated) == newest
    with pytest.raises(SettingsError, match="there is no step"):
        run(evaluated, until="impact", progress=quiet)


def test_until_the_lock_outcomes_after_the_start_are_masked(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "s", exploratory="false")
    made = run(folder, until="answers", progress=quiet).folder
    panel = pl.read_parquet(made / "tables" / "panel.parquet")
    assert panel.filter(pl.col("period_start") >= pl.date(2021, 3, 1))["count"].null_count() > 0
    assert (
        panel.filter(pl.col("period_start") >= pl.date(2021, 3, 1))["count"].drop_nulls().len() == 0
    )
    findings = pl.read_parquet(made / "tables" / "finding.parquet")
    answering = findings.filter(pl.col("question").str.starts_with("RQ"))
    assert "masked" in set(answering["status"])
    assert answering["estimate"].null_count() == answering.height
    months = findings.filter(estimand="missing_location_share")["horizon"].to_list()
    assert max(month for month in months if month != "all") == "2021-02"


def test_a_killed_run_leaves_the_last_whole_one(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "s")
    last = run(folder, until="report", progress=quiet).folder
    (folder / "plan.toml").write_text(plan(seed="2"), encoding="utf-8")
    code = (
        "import sys; from pathlib import Path; from placeproof.study.run import run;"
        "run(Path(sys.argv[1]), until=None, progress=lambda *_: print('step', flush=True))"
    )
    working = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert working.stdout is not None
    for _ in range(6):
        working.stdout.readline()
    working.send_signal(signal.SIGKILL)
    working.wait()
    assert list((folder / "runs").glob(".building-*"))
    assert report_of(folder).parent == last
    assert run(folder, until=None, progress=quiet).folder != last
    assert not list((folder / "runs").glob(".building-*"))


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    (tmp_path / "runs" / f".building-{os.getppid()}").mkdir(parents=True)
    with pytest.raises(OutputError, match="Another run is at work"):
        store.start(tmp_path)


def test_a_study_without_its_files(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "s")
    shutil.rmtree(folder / "data" / "archive")
    with pytest.raises(InputError, match="no feed of the study could be read"):
        run(folder, until=None, progress=quiet)
    assert not (folder / "results").exists()
    problems = check(folder, quiet)
    assert problems[0].severity == "error"
    assert any("no file in data/ is called archive" in problem.message for problem in problems)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"n": "1"}, "one"),
        ({"history_from": "2018-01-01", "history_to": "2018-12-31"}, "none"),
        ({"selection_from": "2020-09-01", "selection_to": "2020-09-30"}, "some"),
    ],
)
def test_what_cannot_be_borne_is_said(
    tmp_path: Path, changes: dict[str, str], expected: str
) -> None:
    folder = make_study(tmp_path / "s", **changes)
    made = run(folder, until="answers", progress=quiet).folder
    headline = pl.read_parquet(made / "tables" / "finding.parquet").filter(
        pl.col("estimand") == "rate_ratio",
        pl.col("role") == "headline",
        pl.col("method") == "poisson_imputation_jackknife",
        pl.col("population") == "treated hot spots",
        pl.col("horizon") == "all",
    )
    assert headline.height
    for row in headline.iter_rows(named=True):
        if row["status"] != "estimated":
            assert row["reason"]
        if expected == "one":
            assert row["lower"] is None


def test_a_later_cut_off_moves_only_what_rests_on_new_rows(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "s")
    study = folder / "study.toml"
    late = folder / "data" / "archive" / "2021-12"
    late.rename(tmp_path / "2021-12")
    study.write_text(study.read_text().replace("2021-12-31", "2021-11-30"))
    (folder / "plan.toml").write_text(plan(analysis_to="2021-11-30"), encoding="utf-8")
    first = run(folder, until=None, progress=quiet)
    (tmp_path / "2021-12").rename(late)
    study.write_text(study.read_text().replace("2021-11-30", "2021-12-31"))
    (folder / "plan.toml").write_text(plan(), encoding="utf-8")
    second = run(folder, until=None, progress=quiet)
    assert any(f"since run {first.folder.name}" in line for line in second.lines())
    changes = pl.read_csv(folder / "results" / "changes.csv")
    keys = ["outcome", "horizon", "change"]
    missing = changes.filter(estimand="missing_location_share").select(keys).unique()
    assert set(missing.filter(change="new")["horizon"]) == {"2021-12"}
    assert "2020-01" not in set(missing["horizon"])
    assert changes.filter(pl.col("question") == "RQ4").height == 0
    assert changes["why"].str.contains("rows").any()


def test_steps_have_names() -> None:
    assert [name for name, _, _ in STEPS][-1] == "report"
