"""Sheets of a run: what stands on them, for whom, and what does not."""

import json
import re
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from placeproof.errors import InputError, SettingsError
from placeproof.report import sheets as report
from placeproof.report.sheets_contents import SheetContents
from placeproof.report.sheets_drawings import counts
from placeproof.report.sheets_page import Page, Sheets
from placeproof.study.sheets import assembled, sheets
from tests.study.conftest import plan
from tests.study.invented_patrols import FIRST, MANIFEST, run_tables

WEEKS = 36
LAST = FIRST + timedelta(weeks=WEEKS - 1)
SILENT = date(2022, 3, 7)
"""Monday of two weeks of which no positions were supplied."""
QUIET = {"progress": lambda _doing, _done, _of: None}
EMPTY_ELEMENTS = {"meta", "path", "rect", "br"}


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame | None]:
    return dict(run_tables(places=3, weeks=WEEKS))


CHOICES = {"hotspot": None, "cell_m": 5.0, "reach_m": 15.0, "target_minutes": 15.0}


def contents(tables: dict, **changes: object) -> SheetContents:
    asked = {"week": None, "weeks": 1} | CHOICES | changes
    return assembled(tables, manifest=MANIFEST, **asked)


def page(tables: dict, hotspot: str = "H01", **changes: object) -> Page:
    return list(Sheets(contents(tables, **changes), hotspot).pages())[-1]


@pytest.fixture
def study(tmp_path: Path, tables: dict) -> Path:
    """A folder with one whole run that holds the tables."""
    run = tmp_path / "study" / "runs" / "abc123"
    (run / "tables").mkdir(parents=True)
    for name, table in tables.items():
        table.write_parquet(run / "tables" / f"{name}.parquet")
    (run / "manifest.json").write_text(json.dumps(MANIFEST))
    (tmp_path / "study" / "results").mkdir()
    (tmp_path / "study" / "results" / "current.json").write_text('{"run": "abc123"}')
    (tmp_path / "study" / "study.toml").write_text("schema = 1\n")
    (tmp_path / "study" / "plan.toml").write_text(plan())
    return tmp_path / "study"


class Outline(HTMLParser):
    """Elements with their attributes, heads of tables, and whether every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.headings: list[int] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.elements.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in EMPTY_ELEMENTS:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_newest_whole_week_is_printed_unless_another_is_named(tables: dict) -> None:
    assert contents(tables).weeks == (LAST,)
    some = LAST - timedelta(weeks=3)
    assert contents(tables, week=some + timedelta(days=4)).weeks == (some,)
    three = contents(tables, weeks=3).weeks
    assert three == tuple(LAST - timedelta(weeks=n) for n in (2, 1, 0))


def test_a_week_that_the_cut_off_cuts_is_not_whole(tables: dict) -> None:
    facts = MANIFEST["study"] | {"cut_off": str(LAST + timedelta(days=3))}
    made = assembled(tables, manifest=MANIFEST | {"study": facts}, week=None, weeks=1, **CHOICES)
    assert made.weeks == (LAST - timedelta(weeks=1),)


def test_figures_equal_the_tables(tables: dict) -> None:
    made = page(tables)
    figures = {row[0]: row[1] for row in made.measures}
    days = pl.col("operating_day").is_between(LAST, LAST + timedelta(days=6))
    dose = tables["dose"].filter(days, pl.col("hours") == "all", hotspot_id="H01")
    at = tables["attendance"].filter(days, hotspot_id="H01")
    minutes = round(dose["patrol_minutes"].sum())
    assert figures["Minutes patrolled in all"].startswith(str(minutes))
    assert figures["Windows asked for"] == str(at.height)
    assert figures["… for long enough"] == str(at["level_3"].sum())
    shown = [int(cell.words) for cell in made.calendar.rows[-1][1]]
    assert shown == [round(m) for m in dose.sort("operating_day")["patrol_minutes"]]
    kept = int(at["level_3"].sum())
    assert made.headline.startswith(f"{kept} of {at.height} windows kept")
    assert len(made.windows) == at.height - kept


def test_bands_of_a_day_add_up_to_the_day(tables: dict) -> None:
    made = page(tables)
    assert made.bands is not None
    for (_, bands), day in zip(made.bands.rows, made.calendar.rows[-1][1], strict=True):
        assert abs(sum(int(cell.words) for cell in bands) - int(day.words)) <= len(bands) / 2


def test_a_week_without_positions_says_so_and_shows_no_nought(tables: dict) -> None:
    made = page(tables, week=SILENT)
    figures = {row[0]: row[1] for row in made.measures}
    assert figures["Minutes patrolled in all"] == "not supplied"
    assert [cell.words for cell in made.calendar.rows[-1][1]] == ["–"] * 7
    assert {cell.shade for cell in made.calendar.rows[-1][1]} == {-1}
    assert made.bands is None
    assert made.drawing_words == "Routes are not supplied for this week."


def test_without_tasking_the_plan_is_not_supplied(tables: dict) -> None:
    made = page(tables | {"attendance": None})
    figures = {row[0]: row[1] for row in made.measures}
    assert figures["Windows asked for"] == "not supplied"
    assert "not supplied" in made.windows_words
    assert made.headline.startswith("What was asked for is not supplied.")


def test_without_presence_nothing_is_called_nought(tables: dict) -> None:
    at = tables["attendance"].with_columns(
        pl.lit(value=False).alias("observed"),
        *(pl.lit(None, dtype=pl.Boolean).alias(f"level_{n}") for n in range(1, 6)),
        pl.lit(None, dtype=pl.Float64).alias("minutes_in_window"),
    )
    none = {"dose": None, "visit": None, "route": None, "attendance": at}
    made = page(tables | none)
    figures = {row[0]: row[1] for row in made.measures}
    assert figures["Minutes patrolled in all"] == "not supplied"
    assert figures["… attended"] == "not supplied"
    assert figures["Visits"] == "not supplied"
    assert made.histogram == ""
    assert {window.there for window in made.windows} == {"–"}
    assert {window.state for window in made.windows} <= {"not known", "cancelled"}


def test_a_window_missed_again_is_said_so(tables: dict) -> None:
    found = [
        window
        for one in Sheets(contents(tables, weeks=20), "H01").pages()
        for window in one.windows
        if window.again
    ]
    assert found
    assert {window.state for window in found} == {"missed"}
    assert {"twice in a row"} <= {window.again for window in found}


def test_too_short_is_never_rounded_up_to_what_was_asked(tables: dict) -> None:
    at = tables["attendance"].with_columns(
        minutes_in_window=pl.lit(14.8), level_1=pl.lit(value=True), level_3=pl.lit(value=False)
    )
    made = page(tables | {"attendance": at})
    assert {(window.there, window.asked) for window in made.windows} == {("14", "15")}


def test_many_windows_stay_on_one_page_and_are_counted(tables: dict) -> None:
    at = tables["attendance"].with_columns(
        level_1=pl.lit(value=False), level_3=pl.lit(value=False), cancelled=pl.lit(value=False)
    )
    made = page(tables | {"attendance": at})
    assert len(made.windows) == 9
    assert made.windows_words == "2 more windows were not kept."


def test_hot_spots_without_outline_or_routes_keep_their_sheet(tables: dict) -> None:
    bare = tables["hotspot"].with_columns(geometry=pl.lit(None, dtype=pl.Binary))
    assert page(tables | {"hotspot": bare, "route": None}).drawing == ""
    drawn = page(tables | {"route": None})
    assert "<path" in drawn.drawing
    assert drawn.drawing_words == "Routes are not supplied for this week."


def test_counts_of_visits_fall_into_their_bars() -> None:
    import numpy as np

    bars = counts(np.array([0.0, 4.99, 5.0, 14.99, 15.0, 59.9, 60.0, 300.0]))
    assert bars.tolist() == [2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2]


def test_crimes_are_shown_once_the_plan_lets_outcomes_be_seen(tables: dict) -> None:
    panel = pl.DataFrame(
        {
            "place_id": ["H01", "H01"],
            "kind": ["hotspot"] * 2,
            "period_kind": ["week"] * 2,
            "hours": ["all"] * 2,
            "period_start": [LAST, LAST - timedelta(weeks=1)],
            "outcome": ["robbery"] * 2,
            "count": [3.0, None],
        }
    )
    made = page(tables | {"panel": panel})
    assert made.crimes == (("Robbery", "3", "not supplied", "not supplied"),)
    hidden = assembled(
        tables | {"panel": panel},
        manifest=MANIFEST | {"lock": {"state": "open"}},
        week=None, weeks=1, **CHOICES,
    )  # fmt: skip
    assert hidden.crimes is None


def test_html_and_pdf_are_written_for_every_hot_spot(study: Path) -> None:
    made = sheets(study, week=None, weeks=1, hotspot=None, **QUIET)
    assert made == study / "runs" / "abc123" / "sheets" / "index.html"
    names = sorted(path.name for path in made.parent.iterdir())
    assert names == ["H01.html", "H02.html", "H03.html", "index.html", "sheets.pdf"]
    pdf = (made.parent / "sheets.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 3
    assert b"/MarkInfo" in pdf
    index = made.read_text(encoding="utf-8")
    assert [index.index(f"{name}.html") for name in ("H01", "H02", "H03")] == sorted(
        index.index(f"{name}.html") for name in ("H01", "H02", "H03")
    )


def test_several_weeks_stand_in_one_file_each(study: Path) -> None:
    made = sheets(study, week=None, weeks=4, hotspot="H02", **QUIET).parent
    assert sorted(path.name for path in made.iterdir()) == [
        "H02.html", "H02.pdf", "index.html", "sheets.pdf",
    ]  # fmt: skip
    assert len(re.findall(rb"/Type\s*/Page\b", (made / "H02.pdf").read_bytes())) == 4
    assert (made / "H02.html").read_text(encoding="utf-8").count('class="sheet"') == 4


def test_many_pages_are_typeset_elsewhere_to_the_same_bytes(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sheets(study, week=None, weeks=2, hotspot=None, **QUIET).parent
    here = {path.name: path.read_bytes() for path in made.iterdir()}
    monkeypatch.setattr(report, "_FEW_PAGES", 0)
    monkeypatch.setattr(report, "_AT_ONCE", 1)
    monkeypatch.setattr(report.os, "cpu_count", lambda: 2)
    sheets(study, week=None, weeks=2, hotspot=None, **QUIET)
    assert {path.name: path.read_bytes() for path in made.iterdir()} == here


def test_writing_again_gives_the_same_bytes_and_leaves_nothing_behind(study: Path) -> None:
    made = sheets(study, week=None, weeks=1, hotspot=None, **QUIET).parent
    first = {path.name: path.read_bytes() for path in made.iterdir()}
    sheets(study, week=None, weeks=1, hotspot=None, **QUIET)
    assert {path.name: path.read_bytes() for path in made.iterdir()} == first
    assert [path.name for path in made.parent.iterdir() if path.name.startswith(".")] == []


def test_a_failure_leaves_the_old_sheets_whole(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sheets(study, week=None, weeks=1, hotspot=None, **QUIET)
    before = made.read_bytes()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("in the middle")

    monkeypatch.setattr(report, "_typeset", broken)
    with pytest.raises(RuntimeError):
        sheets(study, week=None, weeks=1, hotspot=None, **QUIET)
    assert made.read_bytes() == before
    assert [path.name for path in made.parent.parent.iterdir() if path.name.startswith(".")] == []


def test_pages_are_accessible(study: Path) -> None:
    made = sheets(study, week=None, weeks=1, hotspot=None, **QUIET).parent
    for path in sorted(made.glob("*.html")):
        outline = Outline()
        outline.feed(path.read_text(encoding="utf-8"))
        assert outline.open == [], path.name
        assert outline.headings[0] == 1
        assert outline.headings.count(1) == 1
        steps = zip(outline.headings, outline.headings[1:], strict=False)
        assert all(after - before <= 1 for before, after in steps)
        ids = [attrs["id"] for _, attrs in outline.elements if "id" in attrs]
        assert len(ids) == len(set(ids))
        named = [attrs.get("aria-labelledby") for tag, attrs in outline.elements if tag == "table"]
        assert named
        assert set(named) <= set(ids)
        assert all(attrs.get("scope") for tag, attrs in outline.elements if tag == "th")
        for tag, attrs in outline.elements:
            if attrs.get("role") == "img":
                assert len(str(attrs.get("aria-label"))) > 20
            assert tag not in {"script", "img", "link"}
            assert "http" not in str(attrs.get("href", ""))
        assert dict(outline.elements[0][1]) == {} or outline.elements[0][1].get("lang") == "en-GB"


def test_no_unit_or_device_is_named_or_ranked(study: Path, tables: dict) -> None:
    named = tables["visit"].with_columns(device_id=pl.lit("radio 4711"))
    named.write_parquet(study / "runs" / "abc123" / "tables" / "visit.parquet")
    made = sheets(study, week=None, weeks=2, hotspot=None, **QUIET).parent
    for path in made.glob("*.html"):
        assert "4711" not in path.read_text(encoding="utf-8")


def test_names_of_hot_spots_become_names_of_files() -> None:
    made = report.file_names(["A/1", "a-1", "index", "Ü", "", "../x"])
    assert len({name.casefold() for name in made.values()}) == 6
    assert all(re.fullmatch(r"[A-Za-z0-9-]+", name) for name in made.values())
    assert "index" not in made.values()


def test_names_with_markup_are_words(study: Path, tables: dict) -> None:
    hotspot = tables["hotspot"].with_columns(name=pl.lit('<b>&"#x'))
    hotspot.write_parquet(study / "runs" / "abc123" / "tables" / "hotspot.parquet")
    made = sheets(study, week=None, weeks=1, hotspot="H01", **QUIET).parent
    assert "<b>" not in (made / "H01.html").read_text(encoding="utf-8")
    assert (made / "sheets.pdf").stat().st_size > 1000


def test_what_a_user_can_mend_is_said(study: Path, tables: dict) -> None:
    with pytest.raises(SettingsError, match="H99"):
        sheets(study, week=None, weeks=1, hotspot="H99", **QUIET)
    for weeks in (0, 200_000):
        with pytest.raises(SettingsError, match=f"{weeks} weeks"):
            sheets(study, week=None, weeks=weeks, hotspot=None, **QUIET)
    with pytest.raises(SettingsError, match="in no study"):
        sheets(study, week=date(1, 1, 1), weeks=1, hotspot=None, **QUIET)
    with pytest.raises(InputError, match="neither"):
        contents(tables | {"dose": None, "attendance": None})
    with pytest.raises(InputError, match="no hot spots"):
        contents(tables | {"hotspot": None})


def test_a_week_far_from_the_data_is_not_supplied_throughout(tables: dict) -> None:
    made = page(tables, week=date(2030, 1, 7))
    assert made.headline == "Neither the plan nor what was delivered is supplied for this week."
    assert made.stands_out.startswith("Nothing can be said")
    assert all(cell.words == "–" for _, cells in made.calendar.rows for cell in cells)
