"""What the contracts cannot say of a feed, and what only several tables together can tell."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from placeproof.errors import InputError
from placeproof.files import across, feeds
from placeproof.files.feed import FeedResult, FeedSpec, Surroundings

SURROUNDINGS = Surroundings(area_wkb=None, start=date(2020, 1, 1), cut_off=date(2023, 12, 31))


def read(folder: Path, contract: str, text: str, **changes: Any) -> FeedResult:
    path = folder / f"{contract}.csv"
    path.write_text(text, encoding="utf-8", newline="")
    facts: dict[str, Any] = {
        "name": contract,
        "contract": contract,
        "format": "auto",
        "paths": (path,),
        "root": folder,
        "time_zone": "Europe/London",
    }
    return feeds.read(FeedSpec(**{**facts, **changes}), SURROUNDINGS)


def out(result: FeedResult) -> list[tuple[int, str]]:
    return list(result.quarantine.select("source_row", "rule").iter_rows())


def doubted(result: FeedResult) -> list[tuple[int, str]]:
    return list(result.flagged.select("source_row", "rule").iter_rows())


def codes(result: FeedResult) -> list[str]:
    return result.notices["code"].to_list()


ADMISSIONS = "month,area_code,area_kind,cause,admissions\n"


def test_suppressed_admissions_are_null_and_say_so(tmp_path: Path) -> None:
    text = ADMISSIONS + (
        "2021-05,E06000016,residence,X85-Y09,*\n"
        "2021-06,E06000016,residence,X85–Y09,15\n"
        "2021-07,E06000016,residence,X99,0\n"
        "2021-08,E06000016,residence,X99,3\n"
        "2021-09,E06000016,residence,X99,\n"
    )
    result = read(tmp_path, "admission", text)
    rows = result.tables["admission"].select("cause", "admissions", "suppressed").rows()
    assert rows == [
        ("X85-Y09", None, True),
        ("X85-Y09", 15, False),
        ("X99", 0, False),
        ("X99", 3, False),
    ]
    assert out(result) == [(6, "blank value")]
    assert doubted(result) == [(5, "small-count")]
    assert "suppressed-counts" in codes(result)


def test_the_source_may_say_itself_what_it_suppressed(tmp_path: Path) -> None:
    text = "month,area_code,area_kind,cause,admissions,hidden\n" + (
        "2021-05,E06000016,residence,X99,*,yes\n2021-06,E06000016,residence,X99,10,yes\n"
    )
    result = read(tmp_path, "admission", text, columns={"suppressed": "hidden"})
    assert result.tables["admission"]["suppressed"].to_list() == [True]
    assert out(result) == [(3, "suppressed-count-shown")]


@pytest.mark.parametrize("code", ["X99.0XXA", "Y04.0XXD", "X990XXS", "y09.XXXA"])
def test_us_codes_are_refused_with_the_reason(tmp_path: Path, code: str) -> None:
    text = ADMISSIONS + f"2021-05,E06000016,residence,X99,10\n2021-05,E07,residence,{code},10\n"
    with pytest.raises(InputError, match=r"row 3, .*ICD-10-CM.*X85–Y09"):
        read(tmp_path, "admission", text)


def test_who_codes_are_not_taken_for_american(tmp_path: Path) -> None:
    result = read(tmp_path, "admission", ADMISSIONS + "2021-05,E06,residence,X99.4,10\n")
    assert out(result) == [(2, "unknown-code")]


TASKS = "task_id,hotspot_id,window_from,window_to,target_minutes,cancelled,cancel_reason\n"
MISSED = TASKS.strip() + ",missed_reason\n"


def test_tasks(tmp_path: Path) -> None:
    text = TASKS + (
        "T1,H1,2021-08-06 20:00,2021-08-06 21:00,15,no,\n"
        "T2,H1,2021-08-06 20:00,2021-08-06 20:10,15,no,\n"
        "T3,H1,2021-08-06 20:00,2021-08-06 20:00,15,no,\n"
        "T4,H1,2021-08-06 20:00,2021-08-06 21:00,15,yes,\n"
        "T5,H1,2021-08-06 21:00,2021-08-06 20:00,15,no,\n"
        "T6,H1,2021-08-06 20:00,2021-08-06 21:00,15,no,ill\n"
    )
    result = read(tmp_path, "tasking", text)
    assert out(result) == [(4, "empty-window"), (6, "end-before-start")]
    assert doubted(result) == [
        (3, "target-beyond-window"),
        (5, "cancelled-without-reason"),
        (7, "reason-without-cancelling"),
    ]


def test_a_reason_for_a_missed_window_is_kept(tmp_path: Path) -> None:
    text = MISSED + (
        "T1,H1,2021-08-06 20:00,2021-08-06 21:00,15,no,,Called away\n"
        "T2,H1,2021-08-06 20:00,2021-08-06 21:00,15,yes,Weather,Called away\n"
        "T3,H1,2021-08-06 20:00,2021-08-06 21:00,15,no,,\n"
    )
    result = read(tmp_path, "tasking", text)
    reasons = result.tables["tasking"]["missed_reason"].to_list()
    assert reasons == ["Called away", "Called away", None]
    assert doubted(result) == [(3, "missed-though-cancelled")]


def test_logs_and_ready_made_presence(tmp_path: Path) -> None:
    logs = read(
        tmp_path,
        "patrol_log",
        "log_id,hotspot_id,started_at,ended_at,officers\n"
        "L1,H1,2021-08-06 20:00,2021-08-07 20:00,2\n"
        "L2,H1,2021-08-06 20:00,2021-08-06 20:00,2\n"
        "L3,H1,2021-08-06 20:00,2021-08-06 20:10,0\n"
        "L4,H1,2021-08-06 20:00,2021-08-06 20:10,2\n",
    )
    assert doubted(logs) == [(2, "very-long"), (3, "no-length"), (4, "no-officers")]
    assert logs.tables["patrol_log"].height == 4
    given = read(
        tmp_path,
        "delivered",
        "hotspot_id,operating_day,started_at,ended_at,minutes,officers,kind,delivered_by\n"
        "H1,2021-08-06,2021-08-06 20:00,2021-08-06 20:10,20,2,visit,force\n"
        "H1,2021-08-06,2021-08-06 20:00,2021-08-06 20:10,40,2,visit,force\n"
        "H1,2021-08-06,,,2000,1,hours,partner\n",
    )
    assert doubted(given) == [(3, "minutes-beyond-span")]
    assert out(given) == [(4, "minutes-beyond-day")]


def test_tallies_that_contradict_themselves(tmp_path: Path) -> None:
    head = "hotspot_id,interval_from,interval_to,passers_by,approached,refused,completed\n"
    stem = "H1,2021-08-06 20:00,2021-08-06 21:00"
    rows = [f"{stem},100,10,4,6", f"{stem},100,10,6,6", f"{stem},5,10,4,6"]
    result = read(tmp_path, "tally", head + "\n".join(rows) + "\n")
    assert out(result) == [(3, "counts-contradict"), (4, "counts-contradict")]


def test_a_refusal_holds_against_a_consent(tmp_path: Path) -> None:
    head = "subject_id,subject_kind,scope,given\n"
    result = read(
        tmp_path,
        "consent",
        head + "P1,response,survey,yes\nP1,response,survey,no\nP2,response,survey,yes\n",
    )
    kept = result.tables["consent"].select("subject_id", "given").rows()
    assert kept == [("P1", False), ("P2", True)]
    assert "P1" not in repr(result.quarantine.rows())


def test_spans_codes_costs(tmp_path: Path) -> None:
    spans = read(
        tmp_path,
        "coded_span",
        "session_id,turn,code_id,coder_id,start,end\nS1,1,C1,A,0,5\nS1,1,C1,A,5,5\n",
    )
    assert out(spans) == [(3, "end-before-start")]
    book = read(
        tmp_path, "code", "code_id,parent_id,name\nA,B,a\nB,A,b\nC,,c\nD,Z,d\nE,C,e\nF,A,f\n"
    )
    assert out(book) == [(2, "parents-in-a-ring"), (3, "parents-in-a-ring")]
    assert doubted(book) == [(5, "unknown-parent")]
    costs = read(
        tmp_path, "cost", "month,item,hours,amount_gbp\n2021-08,overtime,,\n2021-08,cars,,5\n"
    )
    assert out(costs) == [(2, "blank value")]


def test_assaults_without_a_place_and_months_without_rows_are_said(tmp_path: Path) -> None:
    result = read(
        tmp_path,
        "ed_assault",
        "attendance_id,site,arrived_at,assaulted_at,location_text\n"
        "A1,LRI,2021-05-02 03:00,2021-05-02 01:00,High Street\n"
        "A2,LRI,2021-08-02 03:00,2021-05-02 01:00,\n",
    )
    assert doubted(result) == [(3, "long-wait")]
    messages = result.notices.filter(
        pl.col("code").is_in(["missing-locations", "months-not-supplied"])
    )
    assert "1 of 2 attendances (50%)" in messages["message"][0]
    assert "2021-06, 2021-07" in messages["message"][1]


@pytest.mark.parametrize("contract", sorted(feeds._JUDGES))
def test_an_empty_table_breaks_nothing(tmp_path: Path, contract: str) -> None:
    from placeproof.tables import TABLES

    names = [n for n in TABLES[contract].column_names() if not n.startswith("source_")]
    result = read(tmp_path, contract, ",".join(names) + "\n")
    assert result.tables[contract].is_empty()
    assert "no-rows" in codes(result)


def table(name: str, **columns: list[Any]) -> pl.DataFrame:
    from placeproof.tables import TABLES

    schema = {key: column.dtype for key, column in TABLES[name].columns().items()}
    height = len(next(iter(columns.values())))
    filled = {key: columns.get(key, [None] * height) for key in schema}
    if "source_row" in schema:
        filled |= {"source_row": list(range(2, height + 2)), "source_sha256": ["f" * 64] * height}
    return pl.DataFrame(filled, schema=schema)


PATHS = {"f" * 64: "data/file.csv"}


def test_names_that_lead_nowhere() -> None:
    tables = {
        "hotspot": table("hotspot", hotspot_id=["H1"]),
        "delivered": table("delivered", hotspot_id=["H1", "H9", "H9"]),
        "session": table("session", session_id=["S1", "S2"], kind=["individual", "group"]),
        "speaker": table(
            "speaker",
            session_id=["S1", "S1", "S8"],
            speaker_id=["Zz1", "Zz2", "Zz3"],
            consent_analysis=[False, False, True],
        ),
        "turn": table(
            "turn",
            session_id=["S1", "S1"],
            turn=[1, 2],
            speaker_id=["Zz1", "Zz9"],
            words=["é 😀", "b"],
        ),
        "coded_span": table(
            "coded_span", session_id=["S1", "S1"], turn=[1, 7], code_id=["C", "C"],
            start=[0, 0], end=[3, 1],
        ),
        "withdrawal": table("withdrawal", subject_id=["Zz7"], subject_kind=["speaker"]),
    }  # fmt: skip
    said, flagged = across.check(tables, paths=PATHS)
    assert dict(said.select("code", "rows").iter_rows()) == {
        "unknown-hotspot": 2,
        "unknown-session": 1,
        "unknown-speaker": 1,
        "unknown-turn": 1,
        "session-without-speaker": 1,
        "session-without-consent": 1,
        "individual-of-many": 1,
        "withdrawal-of-nobody": 1,
    }
    message = said.filter(pl.col("code") == "unknown-hotspot")["message"][0]
    assert "(H9)" in message
    assert "data/file.csv, row 3" in message
    assert "Zz" not in repr(said.rows()) + repr(flagged.rows())
    assert flagged.height == 5


def test_a_span_beyond_its_turn_counts_codepoints() -> None:
    turn = table("turn", session_id=["S1"], turn=[1], words=["é 😀"])
    inside = table("coded_span", session_id=["S1"], turn=[1], code_id=["C"], start=[0], end=[3])
    beyond = inside.with_columns(end=pl.lit(4, dtype=pl.Int64))
    assert across.check({"turn": turn, "coded_span": inside}, paths={})[0].is_empty()
    said, _ = across.check({"turn": turn, "coded_span": beyond}, paths={})
    assert said["code"].to_list() == ["span-beyond-turn"]


def test_treatment_and_tasks_are_compared() -> None:
    from datetime import UTC, datetime

    spots = table(
        "hotspot",
        hotspot_id=["H1", "H2", "H3"],
        first_treated=[date(2021, 8, 1), None, date(2021, 8, 1)],
    )
    at = datetime(2021, 7, 26, 20, tzinfo=UTC)
    tasks = table(
        "tasking",
        task_id=["a", "b", "c"],
        hotspot_id=["H1", "H2", "H1"],
        window_from=[at, at, at],
        cancelled=[False, False, True],
    )
    said, _ = across.check({"hotspot": spots, "tasking": tasks}, paths={})
    assert dict(said.select("code", "rows").iter_rows()) == {
        "tasked-before-start": 1,
        "tasked-but-untreated": 1,
        "treated-but-untasked": 1,
    }


def test_nothing_to_compare() -> None:
    said, flagged = across.check({}, paths={})
    assert said.is_empty()
    assert flagged.is_empty()


def test_no_path_of_a_machine_stands_in_the_name_of_a_file(tmp_path: Path) -> None:
    spec = FeedSpec(name="a", contract="ping", format="auto", paths=(), root=tmp_path / "study")
    assert spec.shown(tmp_path / "study" / "data" / "x.csv") == "data/x.csv"
    assert spec.shown(tmp_path / "elsewhere" / "x.csv") == "x.csv"


FEATURE = "feature,measure,area_code,value,easting_m,northing_m,edition\n"


def test_features_of_areas_and_points_need_what_makes_them_usable(tmp_path: Path) -> None:
    text = FEATURE + (
        "poor,level,E01000001,12.5,,,2019\n"
        "poor,level,E01000002,,,,2019\n"
        "poor,level,,13,,,2019\n"
        "people,amount,E01000001,1500,,,2019\n"
        "people,amount,E01000003,1,,,2019\n"
        "people,amount,E01000003,2,,,2019\n"
        "pubs,point,,,458000,304000,2019\n"
        "pubs,point,,,,,2019\n"
    )
    result = read(tmp_path, "place_feature", text, crs="EPSG:27700")
    kept = result.tables["place_feature"].select("feature", "area_code", "value", "easting_m")
    assert kept.rows() == [
        ("poor", "E01000001", 12.5, None),
        ("people", "E01000001", 1500.0, None),
        ("pubs", None, None, 458000.0),
    ]
    assert {row for row, _ in out(result)} == {3, 4, 6, 7, 9}
