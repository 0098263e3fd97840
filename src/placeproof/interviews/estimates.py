"""The interview strand as one table of estimates: people, areas, gaps and codes."""

import json
from collections.abc import Iterator, Sequence

import polars as pl

from placeproof.interviews.heard import Heard, heard
from placeproof.tables import CodedSpan, Turn, estimate

Row = dict[str, object]

POPULATIONS = {"resident": "residents", "business": "businesses", "user": "users of the place"}
"""Population of table `speaker`, and what readers call it."""

HOURS = ("nte", "other")
"""Hours that a session can speak of; one that speaks of both fills both cells."""

_WORDS = {
    "withdrawn": "People recorded in sessions who withdrew",
    "no_consent": "People recorded in sessions without consent to analysis",
    "no_session": "People whose session was not supplied",
    "heard": "People who are heard",
}
_FEEDS = "session speaker consent"


def estimates(
    session: pl.DataFrame | None,
    speaker: pl.DataFrame | None,
    *,
    turn: pl.DataFrame | None,
    code: pl.DataFrame | None,
    coded_span: pl.DataFrame | None,
    hotspot: pl.DataFrame | None,
    consent: pl.DataFrame | None,
    withdrawal: pl.DataFrame | None,
    people_target: int,
    areas_target: int,
) -> pl.DataFrame:
    """
    Everything that interviews and groups say in numbers.

    People are counted, and sessions beside them: a group of eight is eight people in one session.
    How many people spoke of a theme says how widely it was raised among those who were asked, and
    nothing about the population.

    Parameters
    ----------
    session, speaker : tables of those names, or None
        None or empty: one row `not_supplied`.
    turn, code, coded_span : tables of those names, or None
        Without them people and areas are counted, and codes are `not_supplied`.
    hotspot : table `hotspot`, or None
        The areas of the study; None: the areas that sessions name.
    consent, withdrawal : tables of those names, or None
        See `heard.heard` for who is heard.
    people_target, areas_target : int
        People in all, and areas in which somebody is heard.

    Returns
    -------
    table `estimate`
    """
    if session is None or session.is_empty() or speaker is None or speaker.is_empty():
        lacking = "session" if session is None or session.is_empty() else "speaker"
        return estimate.rows([_missing("interview_people", f"No rows of table {lacking}.")])
    kept = heard(
        session,
        speaker,
        turn=Turn.create_empty() if turn is None else turn,
        coded_span=CodedSpan.create_empty() if coded_span is None else coded_span,
        consent=consent,
        withdrawal=withdrawal,
    )
    areas = _areas(hotspot, session)
    rows = [
        *_accounting(kept),
        *_counts(kept.appearances, people_target),
        *_by_area(kept.appearances, areas, areas_target),
        *_matrix(kept.appearances, areas),
        *_roles(kept.appearances, areas),
        *_codes(kept, code),
    ]
    return estimate.rows(rows)


def _areas(hotspot: pl.DataFrame | None, session: pl.DataFrame) -> list[str]:
    source = session if hotspot is None or hotspot.is_empty() else hotspot
    return source["hotspot_id"].drop_nulls().unique().sort().to_list()


def _accounting(kept: Heard) -> list[Row]:
    return [
        _count(f"interview_people_{step}", _WORDS[step], people)
        for step, people in kept.accounting.iter_rows()
    ]


def _counts(appearances: pl.DataFrame, people_target: int) -> list[Row]:
    people = appearances["speaker_id"].n_unique()
    places = appearances["hotspot_id"].drop_nulls().n_unique()
    target = {"met": people >= people_target, "target": people_target}
    rows = [
        _count("interview_people", "People heard", people)
        | {"diagnostics": json.dumps(target, sort_keys=True), "n_places": places},
        _sessions(appearances, "all"),
    ]
    rows += [
        _count("interview_people", "People heard", _people(appearances, population))
        | {"population": f"{words}, interviewed"}
        for population, words in POPULATIONS.items()
    ]
    rows += [_sessions(appearances, kind) for kind in ("group", "individual")]
    return rows


def _sessions(appearances: pl.DataFrame, kind: str) -> Row:
    held = appearances if kind == "all" else appearances.filter(pl.col("kind") == kind)
    return _count("interview_sessions", "Sessions with somebody heard", 0) | {
        "estimate": float(held["session_id"].n_unique()),
        "n": held["speaker_id"].n_unique(),
        "estimand": "sessions",
        "subgroup": "all" if kind == "all" else f"kind={kind}",
        "unit": "sessions",
    }


def _people(appearances: pl.DataFrame, population: str) -> int:
    return appearances.filter(pl.col("population") == population)["speaker_id"].n_unique()


def _by_area(appearances: pl.DataFrame, areas: Sequence[str], areas_target: int) -> list[Row]:
    counts = {area: there["speaker_id"].n_unique() for area, there in _each(appearances, areas)}
    without = [area for area, people in counts.items() if not people]
    covered = len(counts) - len(without)
    reason = f"Somebody was heard in {covered} of {areas_target} areas that the plan asks for."
    if without:
        reason += " Nobody in: " + ", ".join(without) + "."
    gate = _count("interview_areas_covered", "Areas in which somebody was heard", 0) | {
        "estimate": float(covered),
        "estimand": "count",
        "n": appearances["speaker_id"].n_unique(),
        "n_places": covered,
        "unit": "areas",
        "reason": reason,
        "diagnostics": json.dumps(
            {
                "met": covered >= areas_target,
                "target": areas_target,
                "without": without,
            },
            sort_keys=True,
        ),
    }
    return [
        gate,
        *(
            _count("interview_people", "People heard", people)
            | {"subgroup": f"hotspot={area}", "n_places": 1}
            for area, people in counts.items()
        ),
    ]


def _matrix(appearances: pl.DataFrame, areas: Sequence[str]) -> list[Row]:
    rows, empty = [], []
    for area, there in _each(appearances, areas):
        for population, words in POPULATIONS.items():
            for hours in HOURS:
                people = _people(there.filter(pl.col("hours").is_in([hours, "both"])), population)
                rows.append(
                    _count(
                        "interview_matrix", "People heard, by area, population and hours", people
                    )
                    | {
                        "population": f"{words}, interviewed",
                        "subgroup": f"hotspot={area};hours_of_session={hours}",
                        "n_places": 1,
                    }
                )
                if not people:
                    empty.append(f"{area} {words} {hours}")
    said = "No cell is empty." if not empty else "Empty: " + "; ".join(empty) + "."
    cells = _count("interview_empty_cells", "Cells of area, population and hours with nobody", 0)
    return [
        *rows,
        cells
        | {
            "estimate": float(len(empty)),
            "estimand": "count",
            "n": appearances["speaker_id"].n_unique(),
            "unit": "cells",
            "reason": said,
            "diagnostics": json.dumps({"empty": empty, "of": len(rows)}, sort_keys=True),
        },
    ]


def _roles(appearances: pl.DataFrame, areas: Sequence[str]) -> list[Row]:
    rows, without = [], []
    for area, there in _each(appearances, areas):
        roles = there["role"].drop_nulls().unique().sort().to_list()
        rows.append(
            _count("interview_roles", "Kinds of key user heard", 0)
            | {
                "estimate": float(len(roles)),
                "estimand": "count",
                "n": there.filter(pl.col("role").is_not_null())["speaker_id"].n_unique(),
                "subgroup": f"hotspot={area}",
                "n_places": 1,
                "unit": "roles",
                "reason": "Heard: " + ", ".join(roles) + "." if roles else "No key user heard.",
            }
        )
        if not roles:
            without.append(area)
    return [
        *rows,
        _count("interview_areas_without_role", "Areas in which no key user was heard", 0)
        | {
            "estimate": float(len(without)),
            "estimand": "count",
            "n": appearances["speaker_id"].n_unique(),
            "unit": "areas",
            "reason": "In: " + ", ".join(without) + "." if without else None,
        },
    ]


def _codes(kept: Heard, code: pl.DataFrame | None) -> list[Row]:
    if code is None or code.is_empty() or kept.spans.is_empty():
        lacking = (
            "No rows of table code."
            if code is None or code.is_empty()
            else "No coded stretch of anybody who is heard."
        )
        return [_missing("theme", lacking)]
    where = kept.appearances.select("session_id", "speaker_id", "hotspot_id")
    spans = kept.spans.join(where, on=["session_id", "speaker_id"])
    people = kept.appearances["speaker_id"].n_unique()
    rows = []
    book = code.sort("code_id", "source_sha256", "source_row").unique("code_id", keep="first")
    for entry in book.sort("code_id").iter_rows(named=True):
        said = spans.filter(pl.col("code_id") == entry["code_id"])
        areas = said["hotspot_id"].drop_nulls().unique().sort().to_list()
        rows.append(_theme(entry, said, "all", len(areas)))
        rows += [_theme(entry, there, f"hotspot={area}", 1) for area, there in _each(said, areas)]
        share = said["speaker_id"].n_unique() / people
        rows.append(
            _theme(entry, said, "all", len(areas))
            | {"estimand": "share", "estimate": share, "unit": "share"}
        )
    return rows


def _theme(entry: dict[str, object], said: pl.DataFrame, subgroup: str, places: int) -> Row:
    people = said["speaker_id"].n_unique()
    return _count(f"theme_{entry['code_id']}", str(entry["name"]), people) | {
        "question": entry["question"] or "data",
        "subgroup": subgroup,
        "n_places": places,
        "reason": "How widely it was raised among those asked; nothing about the population.",
        "feeds": "session speaker turn code coded_span consent",
    }


def _each(frame: pl.DataFrame, areas: Sequence[str]) -> Iterator[tuple[str, pl.DataFrame]]:
    for area in areas:
        yield area, frame.filter(pl.col("hotspot_id") == area)


def _count(outcome: str, label: str, people: int) -> Row:
    return {
        "question": "data",
        "outcome": outcome,
        "outcome_label": label,
        "population": "people interviewed",
        "estimand": "people",
        "method": "count",
        "estimate": float(people),
        "n": people,
        "unit": "people",
        "feeds": _FEEDS,
    }


def _missing(outcome: str, reason: str) -> Row:
    label = {"interview_people": "Interviews and groups", "theme": "Themes of the interviews"}
    return _count(outcome, label[outcome], 0) | {
        "estimate": None,
        "n": None,
        "status": "not_supplied",
        "reason": reason,
    }
