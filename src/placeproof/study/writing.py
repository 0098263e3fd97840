"""A run on disk: tables, quarantine, manifest, answers, report."""

import polars as pl

from placeproof import report
from placeproof.report.contents import TEXT_KEYS, ReportContents, StudyFacts
from placeproof.study import rivals
from placeproof.study.for_pooling import for_pooling
from placeproof.study.manifest import texts
from placeproof.study.store import Building, hashes_of_files, refusals_explained
from placeproof.study.work import Work

KEPT = (
    "place",
    "match",
    "panel",
    "panel_lsoa",
    "planned_minutes",
    "delivered_minutes",
    "hotspot",
    "visit",
    "dose",
    "attendance",
    "route",
    "street",
    "positions_cleaned",
    "activity_unmapped",
    "finding",
    "answer",
)
"""Tables that a run keeps. None holds a row of a person who took part; table visit holds pseudonyms
of devices, is for the force, and no page or export is made of it with them."""


def write(building: Building, work: Work, manifest: dict[str, object], *, whole: bool) -> None:
    """
    Write everything that a run made.

    Parameters
    ----------
    building : Building
        Where to.
    work : Work
        The run.
    manifest : dict
        What went into it.
    whole : bool
        Whether the report is written as well.
    """
    for name in KEPT:
        if name in work.tables:
            building.write_table(name, work.tables[name])
    result = work.inputs.result
    building.write_table("receipts", result.receipts)
    building.write_table("notices", result.notices)
    for what, rows in (("", result.quarantine), ("-kept-with-a-doubt", result.flagged)):
        for feed, group in rows.group_by("feed", maintain_order=True):
            building.write_quarantine(f"{feed[0]}{what}", group)
    if "answer" in work.tables:
        building.write_json(
            "answers.json",
            {
                "run": manifest["run"],
                "stamp": work.lock.stamp,
                "answers": work.tables["answer"].to_dicts(),
                "findings": work.tables["finding"].to_dicts(),
            },
        )
        pooled = for_pooling(work.tables["finding"], study=work.study.name)
        with refusals_explained(building.folder / "for-pooling.csv"):
            pooled.write_csv(building.folder / "for-pooling.csv")
    if whole:
        with refusals_explained(building.folder / "report.html"):
            report.write(contents(work, manifest), building.folder)
    building.write_json("manifest.json", manifest | {"files": hashes_of_files(building.folder)})


def released_notices(notices: pl.DataFrame) -> pl.DataFrame:
    """
    Take the values of faulty cells out of what a reader outside the force is told.

    Inside the force `check` and the quarantine show what was found; one comma too many can put
    anything into such a cell, so the report says where and what was expected, not what stood there.

    Parameters
    ----------
    notices : DataFrame
        `files.feed.NOTICE_SCHEMA`.

    Returns
    -------
    DataFrame
        The same rows.
    """
    shown = r'(?s) found ".*?",( expected )'
    return notices.with_columns(pl.col("message").str.replace_all(shown, "$1"))


def contents(work: Work, manifest: dict[str, object]) -> ReportContents:
    """
    Gather what the report is made of.

    Parameters
    ----------
    work : Work
        The run.
    manifest : dict
        What went into it.

    Returns
    -------
    ReportContents
        Findings already past disclosure control.
    """
    from placeproof.tables import Place

    study, result = work.study, work.inputs.result
    return ReportContents(
        study=StudyFacts(
            name=study.name,
            force=study.force,
            authors=study.authors,
            start=study.start,
            cut_off=study.cut_off,
            exploratory=work.lock.state in {"exploratory", "changed"},
            stamp=work.lock.stamp,
            sponsor=study.sponsor,
            contact=study.contact,
        ),
        findings=work.tables["finding"],
        answers=work.tables["answer"],
        places=work.places if work.places is not None else Place.create_empty(),
        area_wkb=work.inputs.area_wkb,
        texts={key: text for key, text in texts(work.study.folder).items() if key in TEXT_KEYS},
        receipts=result.receipts,
        notices=released_notices(result.notices),
        quarantine=result.quarantine.with_columns(found=pl.lit("")),
        manifest=manifest,
        shocks=work.shocks(),
        rivals=rivals.listed(work),
    )
