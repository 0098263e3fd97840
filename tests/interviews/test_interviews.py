"""People, not sessions; only those who consent; every gap named."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest

from placeproof.answers.findings import DESCRIPTIVE_KEYS
from placeproof.interviews import estimates
from placeproof.interviews.heard import heard
from placeproof.tables import (
    Code,
    CodedSpan,
    Consent,
    Estimate,
    Session,
    Speaker,
    Turn,
    Withdrawal,
)
from placeproof.tables.contract import Table

LINEAGE = {"source_sha256": "0" * 64, "source_row": 2}


def filled(table: type[Table], rows: list[dict[str, object]]) -> pl.DataFrame:
    schema = {name: column.dtype for name, column in table.columns().items()}
    full = [{name: (LINEAGE | row).get(name) for name in schema} for row in rows]
    return table.validate(pl.DataFrame(full, schema=schema), cast=True)


def sessions(*rows: tuple[str, str | None, str, str]) -> pl.DataFrame:
    return filled(
        Session,
        [
            {
                "session_id": name,
                "hotspot_id": area,
                "kind": kind,
                "hours": hours,
                "held_at": datetime(2024, 5, 1, 12, tzinfo=UTC),
            }
            for name, area, kind, hours in rows
        ],
    )


def person(name: str, session: str, **further: object) -> dict[str, object]:
    return {
        "speaker_id": name,
        "session_id": session,
        "population": "resident",
        "consent_analysis": True,
        "consent_quotes": False,
        **further,
    }


def people(*rows: dict[str, object]) -> pl.DataFrame:
    return filled(Speaker, list(rows))


def turns(*rows: tuple[str, int, str | None]) -> pl.DataFrame:
    return filled(
        Turn,
        [
            {"session_id": s, "turn": n, "speaker_id": who, "words": f"words {n}"}
            for s, n, who in rows
        ],
    )


def spans(*rows: tuple[str, int, str]) -> pl.DataFrame:
    return filled(
        CodedSpan,
        [
            {"session_id": s, "turn": n, "code_id": c, "coder_id": "x", "start": 0, "end": 3}
            for s, n, c in rows
        ],
    )


CODES = filled(
    Code,
    [
        {"code_id": "seen", "name": "Saw patrols", "question": "RQ4"},
        {"code_id": "safe", "name": "Feels safe"},
    ],
)
CHOICES = {
    "turn": None,
    "code": None,
    "coded_span": None,
    "hotspot": None,
    "consent": None,
    "withdrawal": None,
    "people_target": 200,
    "areas_target": 20,
}


def run(session: pl.DataFrame | None, speaker: pl.DataFrame | None, **changes: object):
    return estimates(session, speaker, **(CHOICES | changes))


def only(frame: pl.DataFrame, **where: str) -> dict[str, object]:
    found = frame.filter(*(pl.col(name) == value for name, value in where.items()))
    assert found.height == 1, found
    return found.row(0, named=True)


def test_a_group_of_eight_is_eight_people_in_one_session() -> None:
    found = run(
        sessions(("s1", "H01", "group", "nte")), people(*(person(f"p{n}", "s1") for n in range(8)))
    )
    total = only(found, outcome="interview_people", population="people interviewed", subgroup="all")
    assert total["estimate"] == 8
    assert json.loads(total["diagnostics"]) == {"met": False, "target": 200}
    assert only(found, outcome="interview_sessions", subgroup="all")["estimate"] == 1


def test_one_person_in_two_sessions_is_one_person() -> None:
    found = run(
        sessions(("s1", "H01", "individual", "nte"), ("s2", "H02", "individual", "other")),
        people(person("p", "s1"), person("p", "s2")),
    )
    total = only(found, outcome="interview_people", population="people interviewed", subgroup="all")
    assert (total["estimate"], total["n_places"]) == (1, 2)
    assert only(found, outcome="interview_sessions", subgroup="all")["estimate"] == 2


def test_who_does_not_consent_or_withdraws_drops_with_all_turns() -> None:
    kept = heard(
        sessions(("s1", "H01", "group", "nte")),
        people(
            person("a", "s1"),
            person("b", "s1", consent_analysis=False),
            person("c", "s1"),
            person("d", "s1"),
            person("e", "nowhere"),
        ),
        turn=turns(
            ("s1", 1, None),
            ("s1", 2, "a"),
            ("s1", 3, "b"),
            ("s1", 4, "c"),
            ("s1", 5, "d"),
            ("s1", 6, "stranger"),
        ),
        coded_span=spans(*(("s1", n, "seen") for n in range(1, 7))),
        consent=filled(
            Consent,
            [
                {
                    "subject_id": "d",
                    "subject_kind": "speaker",
                    "scope": "analysis",
                    "given": False,
                }
            ],
        ),
        withdrawal=filled(Withdrawal, [{"subject_id": "c", "subject_kind": "speaker"}]),
    )
    assert kept.appearances["speaker_id"].to_list() == ["a"]
    assert kept.turns["turn"].to_list() == [1, 2]
    assert kept.spans["turn"].to_list() == [2]
    assert dict(kept.accounting.iter_rows()) == {
        "withdrawn": 1,
        "no_consent": 2,
        "no_session": 1,
        "heard": 1,
    }


def test_contradictory_speaker_rows_refuse() -> None:
    found = run(
        sessions(("s1", "H01", "individual", "nte")),
        people(person("a", "s1"), person("a", "s1", consent_analysis=False)),
    )
    assert only(found, outcome="interview_people_heard")["estimate"] == 0
    assert only(found, outcome="interview_people_no_consent")["estimate"] == 1


def test_the_matrix_lists_every_empty_cell() -> None:
    found = run(
        sessions(("s1", "H01", "group", "both"), ("s2", "H02", "group", "unknown")),
        people(person("a", "s1"), person("b", "s1", population="user"), person("c", "s2")),
    )
    empty = only(found, outcome="interview_empty_cells")
    assert empty["estimate"] == 8
    assert json.loads(empty["diagnostics"])["empty"] == [
        "H01 businesses nte",
        "H01 businesses other",
        *(
            f"H02 {who} {hours}"
            for who in ("residents", "businesses", "users of the place")
            for hours in ("nte", "other")
        ),
    ]
    cells = found.filter(pl.col("outcome") == "interview_matrix")
    assert cells.height == 12
    assert cells["estimate"].sum() == 4


def test_an_area_without_anybody_is_named() -> None:
    areas = pl.DataFrame({"hotspot_id": ["H01", "H02"]})
    found = run(
        sessions(("s1", "H01", "individual", "nte")), people(person("a", "s1")), hotspot=areas
    )
    gate = only(found, outcome="interview_areas_covered")
    assert gate["estimate"] == 1
    assert json.loads(gate["diagnostics"])["without"] == ["H02"]
    assert "H02" in gate["reason"]


def test_areas_without_a_key_user_are_flagged() -> None:
    found = run(
        sessions(("s1", "H01", "individual", "nte"), ("s2", "H02", "individual", "nte")),
        people(person("a", "s1", role="taxi"), person("b", "s2")),
    )
    assert only(found, outcome="interview_areas_without_role")["reason"] == "In: H02."
    assert "taxi" in only(found, outcome="interview_roles", subgroup="hotspot=H01")["reason"]


def test_codes_count_the_people_behind_them() -> None:
    found = run(
        sessions(("s1", "H01", "group", "nte"), ("s2", "H02", "individual", "nte")),
        people(person("a", "s1"), person("b", "s1"), person("c", "s2")),
        turn=turns(("s1", 1, "a"), ("s1", 2, "a"), ("s1", 3, "b"), ("s2", 1, "c"), ("s2", 2, None)),
        code=CODES,
        coded_span=spans(
            ("s1", 1, "seen"),
            ("s1", 2, "seen"),
            ("s1", 3, "safe"),
            ("s2", 1, "seen"),
            ("s2", 2, "seen"),
        ),
    )
    seen = found.filter(pl.col("outcome") == "theme_seen")
    assert set(seen["question"]) == {"RQ4"}
    assert only(seen, subgroup="all", estimand="people")["estimate"] == 2
    assert only(seen, subgroup="all", estimand="share")["estimate"] == pytest.approx(2 / 3)
    assert only(seen, subgroup="hotspot=H01")["estimate"] == 1
    assert set(found.filter(pl.col("outcome") == "theme_safe")["question"]) == {"data"}


@pytest.mark.parametrize(
    ("session", "speaker"),
    [(None, None), (Session.create_empty(), people(person("a", "s1"))), (sessions(), people())],
)
def test_nothing_supplied_gives_a_reason(session, speaker) -> None:
    found = run(session, speaker)
    assert found["status"].to_list() == ["not_supplied"]
    assert found["reason"].null_count() == 0


def test_nobody_consents_and_no_area_is_stated() -> None:
    nobody = run(
        sessions(("s1", None, "individual", "unknown")),
        people(person("a", "s1", consent_analysis=False)),
        turn=turns(("s1", 1, "a")),
        code=CODES,
        coded_span=spans(("s1", 1, "seen")),
    )
    Estimate.validate(nobody)
    assert only(nobody, outcome="theme")["status"] == "not_supplied"
    assert not nobody["outcome"].str.starts_with("theme_").any()


def test_shuffled_tables_give_the_same_bytes() -> None:
    session = sessions(*((f"s{n}", f"H{n % 3}", "group", "nte") for n in range(9)))
    speaker = people(*(person(f"p{n}", f"s{n % 9}", role=f"r{n % 4}") for n in range(40)))
    one = run(session, speaker)
    two = run(
        session.sample(fraction=1, shuffle=True, seed=1),
        speaker.sample(fraction=1, shuffle=True, seed=2),
    )
    assert one.write_json() == two.write_json()


def test_no_two_rows_have_the_same_descriptive_keys() -> None:
    found = run(
        sessions(("s1", "H01", "group", "nte")),
        people(person("a", "s1"), person("b", "s1")),
        turn=turns(("s1", 1, "a")),
        code=CODES,
        coded_span=spans(("s1", 1, "seen")),
    )
    assert found.select(DESCRIPTIVE_KEYS).is_unique().all()
