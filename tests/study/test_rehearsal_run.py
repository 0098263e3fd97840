"""A whole rehearsal: from raw exports to a report whose answers hold the planted truth."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from placeproof.cli import app
from placeproof.rehearsal import FAULTS, write_force
from placeproof.study.check import Problem, check
from placeproof.study.run import Run, run
from placeproof.study.showing import show
from tests.study.conftest import quiet, shortened

HEADLINES = {"RQ1": "sv-street-nondom", "RQ2": "all-crime-reported", "RQ3": "asb-all"}


@pytest.fixture(scope="module")
def study(northmere: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rehearsed") / "study"
    return Path(shutil.copytree(northmere, folder))


@pytest.fixture(scope="module")
def made(study: Path) -> Run:
    """The whole run of the plan as it is written, with its report."""
    return run(study, until=None, progress=quiet)


def test_a_whole_rehearsal_is_answered_and_every_row_accounted_for(made: Run) -> None:
    assert made.whole
    assert [row["question"] for row in made.answers] == [f"RQ{i}" for i in range(1, 11)]
    status = {row["question"]: row["status"] for row in made.answers}
    assert {status[f"RQ{i}"] for i in (1, 2, 3, 4, 5, 6, 7, 9)} == {"answered"}
    assert made.rows_in == made.rows_kept + made.rows_quarantined + made.rows_superseded
    assert made.rows_superseded > 0
    for name in ("report.html", "report.pdf", "report.docx"):
        assert (made.folder / name).stat().st_size > 10_000
    receipts = pl.read_parquet(made.folder / "tables" / "receipts.parquet")
    parts = ("rows_kept", "rows_quarantined", "rows_superseded")
    assert (receipts["rows_in"] == sum(receipts[part] for part in parts)).all()


def test_planted_headline_effects_lie_inside_their_intervals(study: Path, made: Run) -> None:
    planted = json.loads((study / "truth.json").read_text(encoding="utf-8"))["effects"]
    findings = pl.read_parquet(made.folder / "tables" / "finding.parquet")
    for question, outcome in HEADLINES.items():
        at = {"outcome": outcome, "population": "treated hot spots", "hours": "all"}
        truth = next(row for row in planted if at.items() <= row.items())["rate_ratio"]
        found = findings.filter(question=question, role="headline", estimand="rate_ratio", **at)
        lower, upper = found["lower"].item(), found["upper"].item()
        assert lower <= truth <= upper < 1, question
        assert " fell by " in show(study, question).text


def test_no_count_of_police_records_in_a_place_is_told_to_the_unit(made: Run) -> None:
    findings = pl.read_parquet(made.folder / "tables" / "finding.parquet")
    counts = findings.filter(pl.col("outcome") == "recorded_beside_belief")
    assert counts.height > 20
    assert counts.filter(pl.col("estimate") % 5 != 0).is_empty()
    assert counts.filter(pl.col("inputs") == "[]").is_empty()


def test_the_glossary_knows_every_estimand_and_method(made: Run) -> None:
    glossary = (Path(__file__).resolve().parents[2] / "GLOSSARY.md").read_text(encoding="utf-8")
    findings = pl.read_parquet(made.folder / "tables" / "finding.parquet")
    for column in ("estimand", "method"):
        used = findings[column].unique().sort()
        assert [name for name in used if f"`{name}`" not in glossary] == []


def test_the_truth_is_told_beside_the_estimates(study: Path, made: Run) -> None:
    told = CliRunner().invoke(app, ["truth", str(study)])
    assert told.exit_code == 0, told.output
    assert "intervals hold the planted effect" in told.output
    as_json = CliRunner().invoke(app, ["truth", str(study), "--json"])
    assert as_json.exit_code == 0
    assert json.loads(as_json.output)


def test_harm_is_said(tmp_path: Path) -> None:
    folder = write_force(tmp_path / "harm", seed=21, size="small", effect="harm")
    run(shortened(folder), until="answers", progress=quiet)
    content = json.loads(next(folder.glob("runs/*/answers.json")).read_text(encoding="utf-8"))
    first = content["answers"][0]
    assert " rose by " in first["summary"].partition(".")[0]
    assert " fell " not in first["summary"].partition(".")[0]


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Problem], dict[str, dict]]:
    """What `check` says of a force with every fault, and where each was planted."""
    folder = tmp_path_factory.mktemp("faulty") / "study"
    write_force(folder, seed=7, size="small", effect="default", faults=frozenset(FAULTS))
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return check(folder, quiet), {fault["fault"]: fault for fault in truth["faults"]}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_planted_fault_is_named_with_file_row_and_mend(
    faulty: tuple[list[Problem], dict[str, dict]], fault: str
) -> None:
    problems, planted = faulty
    at = planted[fault]
    file = Path(at["file"]).name
    naming = [problem for problem in problems if file in problem.message]
    assert naming, f"no problem names {file}"
    places = [f"{file}, row {row}" for row in at["rows"]]
    hits = [p for p in naming if any(_names(p.message, place) for place in places)]
    assert hits, [problem.message for problem in naming]
    assert all(problem.mend for problem in hits)


def _names(message: str, place: str) -> bool:
    """Whether a message names this row, and not one that only starts with its digits."""
    _, found, rest = message.partition(place)
    return bool(found) and not rest[:1].isdigit()
