"""Looking at the newest whole run: an answer, a finding, where the report is."""

import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from placeproof.errors import InputError, SettingsError
from placeproof.report.numbers import filled, shown
from placeproof.study.settings import find_folder
from placeproof.study.store import current_run


@dataclass(frozen=True)
class Shown:
    """Something to show, for a person and for a program."""

    text: str
    content: object


def newest_run(folder: Path) -> Path:
    """
    Find the newest whole run of a study.

    Parameters
    ----------
    folder : Path
        The study's folder.

    Returns
    -------
    Path
        Folder of the run.

    Raises
    ------
    InputError
        If the study has no whole run yet.
    """
    run = current_run(find_folder(folder))
    if run is None:
        raise InputError(
            f"{folder} has no whole run yet.", mend=f"make one with: placeproof run {folder}"
        )
    return run


def report_of(folder: Path) -> Path:
    """
    Find the newest report.

    Parameters
    ----------
    folder : Path
        The study's folder.

    Returns
    -------
    Path
        `report.html` of the newest whole run.

    Raises
    ------
    InputError
        If there is none.
    """
    path = newest_run(folder) / "report.html"
    if not path.is_file():
        raise InputError(f"{path} is not there.", mend="run the study again")
    return path


def show(folder: Path, what: str) -> Shown:
    """
    Show the answer to a question, or one finding with its provenance.

    Parameters
    ----------
    folder : Path
        The study's folder.
    what : str
        RQ1 to RQ10, or the first characters of a finding's id.

    Returns
    -------
    Shown
        Text and content.

    Raises
    ------
    SettingsError
        If `what` is neither.
    """
    run = newest_run(folder)
    answers = pl.read_parquet(run / "tables" / "answer.parquet")
    findings = pl.read_parquet(run / "tables" / "finding.parquet")
    asked = answers.filter(pl.col("question") == what.upper())
    if asked.height:
        return _answer(asked.row(0, named=True), findings)
    hits = findings.filter(pl.col("finding_id").str.starts_with(what.lower()))
    if hits.height == 1:
        return _finding(hits.row(0, named=True), run)
    raise SettingsError(
        f"{what!r} is neither a question nor the id of one finding ({hits.height} fit).",
        mend="ask for RQ1 to RQ10, or for an id that stands at a number in the report",
    )


def _answer(answer: dict[str, object], findings: pl.DataFrame) -> Shown:
    ids = json.loads(str(answer["finding_ids"]))
    carried = findings.filter(pl.col("finding_id").is_in(ids))
    reasons = [filled(str(reason), findings) for reason in json.loads(str(answer["grade_reasons"]))]
    lines = [
        f"{answer['question']}: {answer['title']}",
        f"  {answer['status']}; confidence: {answer['confidence']}",
        f"  {filled(str(answer['because']), findings)}",
        f"  {filled(str(answer['summary']), findings)}",
        *(f"  - {reason}" for reason in reasons),
    ]
    if answer["next_step"]:
        lines.append(f"  Next: {answer['next_step']}")
    lines += [
        f"    {row['finding_id']}  {row['outcome_label']}, {row['population']}: "
        + shown(row, "full")
        for row in carried.iter_rows(named=True)
    ]
    return Shown("\n".join(lines), {"answer": answer, "findings": carried.to_dicts()})


def _finding(finding: dict[str, object], run: Path) -> Shown:
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    wanted = set(json.loads(str(finding["inputs"])))
    inputs = [row for row in manifest["inputs"] if row["sha256"] in wanted]
    lines = [
        f"{finding['finding_id']}: {finding['outcome_label']}, {finding['population']}",
        f"  {shown(finding, 'full')}",
        *(f"  {name}: {value}" for name, value in finding.items() if value is not None),
        f"  code {manifest['code_version']} ({manifest['code_sha256'][:12]}), "
        f"seed {manifest['seed']}, plan {manifest['plan_sha256'][:12]}",
        *(
            f"  from {row['path']} ({row['sha256'][:12]}): {row['rows_kept']} rows kept, "
            f"{row['rows_quarantined']} quarantined"
            for row in inputs
        ),
    ]
    return Shown("\n".join(lines), {"finding": finding, "inputs": inputs})
