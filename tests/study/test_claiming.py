"""`placeproof claim`: words read, counts checked, the change taken apart."""

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from placeproof.cli import app
from placeproof.definitions import outcomes
from placeproof.errors import InputError
from placeproof.study.claim_words import Window, meant_outcome, read_claim, window_of
from tests.study.conftest import make_study

run = CliRunner().invoke


def months(first: str, last: str) -> Window:
    found = window_of(f"{first}..{last}")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "change", "now", "then"),
    [
        (
            "ASB down 15.2 % April–September 2024 against 2023",
            -0.152,
            months("2024-04", "2024-09"),
            months("2023-04", "2023-09"),
        ),
        (
            "Serious violence fell by 20 per cent in August 2021 to July 2022 compared with the "
            "previous year",
            -0.20,
            months("2021-08", "2022-07"),
            months("2020-08", "2021-07"),
        ),
        ("robbery +3,5% in 2022/23", 0.035, months("2022-04", "2023-03"),
         months("2021-04", "2022-03")),
        ("Burglary rose 4 % Nov to Feb 2023 vs Nov to Feb 2021", 0.04,
         months("2022-11", "2023-02"), months("2020-11", "2021-02")),
        ("crime -7% Dec 2022 – Jan 2023 versus Dec 2020 – Jan 2021", -0.07,
         months("2022-12", "2023-01"), months("2020-12", "2021-01")),
        ("fewer thefts in 2022", None, months("2022-01", "2022-12"), months("2021-01", "2021-12")),
        ("theft down 1 % in May 2022 against January 2020 to December 2020", -0.01,
         months("2022-05", "2022-05"), months("2020-05", "2020-05")),
    ],
)  # fmt: skip
def test_words_are_read(text: str, change: float | None, now: Window, then: Window) -> None:
    claim = read_claim(text, now=None, then=None)
    assert (claim.change, claim.now, claim.then) == (change, now, then)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ASB down 15 %", "no months"),
        ("ASB 15 % in 2022", "a fall or a rise"),
        ("ASB up 15 % and down in 2022", "a fall or a rise"),
        ("ASB down 3 % June 2022 to May 2021", "backwards"),
        ("ASB down 3 % January 2021 to March 2022 against the year before", "overlap"),
    ],
)
def test_words_that_cannot_be_read_say_so(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_claim(text, now=None, then=None)


@pytest.mark.parametrize("text", ["2024", "2024-13", "2024-05..2024-04", "x", "2024-04-2024-09"])
def test_typed_windows_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match="no window of months"):
        window_of(text)


def test_a_leap_year_ends_on_its_last_day() -> None:
    found = months("2024-02", "2024-02")
    assert found.last == date(2024, 2, 29)
    assert found.earlier(1) == Window(date(2023, 2, 1), date(2023, 2, 28))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ASB down", "asb-all"),
        ("Serious violence down", "sv-street-nondom"),
        ("violence down", "sv-street-nondom"),
        ("violence with injury down", "vwi"),
        ("robberies up", "robbery"),
        ("anti-social behaviour and public order down", "asb-plus-public-order"),
        ("burglaries down", "burglary"),
        ("sv-grip down", "sv-grip"),
    ],
)
def test_the_outcome_that_is_meant(text: str, meant: str) -> None:
    names = ["sv-street-nondom", "all-crime-reported", "asb-all", "sv-grip", "vwi", "robbery",
             "asb-plus-public-order", "burglary"]  # fmt: skip
    known = [outcomes()[name] for name in names]
    assert meant_outcome(text, known, primary_first=names).id == meant


def test_an_outcome_that_nobody_counted_is_named() -> None:
    known = [outcomes()["robbery"]]
    with pytest.raises(InputError, match="no counted outcome"):
        meant_outcome("arson down", known, primary_first=["robbery"])


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("claims") / "study", permutations="0")


CLAIM = "Anti-social behaviour down 3 % April to December 2021 against 2020"


def test_a_claim_is_taken_apart(study: Path) -> None:
    shown = run(app, ["claim", CLAIM, str(study), "--json"])
    assert shown.exit_code == 0, shown.output
    found = json.loads(shown.output)
    assert found["outcome"] == "puk-asb"
    assert found["now"] == ["2021-04-01", "2021-12-31"]
    assert found["refusal"] is None
    logs = [found[name]["log_ratio"] for name in ("elsewhere", "luck", "beyond")]
    assert sum(logs) == pytest.approx(found["change"]["log_ratio"], abs=1e-9)
    assert found["figure_holds"] in (True, False)
    words = run(app, ["claim", CLAIM, str(study)]).output
    assert "Expected without patrols" in words
    assert "exploratory" in words


def test_counts_are_those_of_the_files(study: Path) -> None:
    """Counted by hand: the rows of the monthly files inside the hot spots that a run lists."""
    assert run(app, ["run", str(study), "--until", "panel"]).exit_code == 0
    import polars as pl

    panel = pl.read_parquet(next(study.glob("runs/*/tables/panel.parquet")))
    inside = panel.filter(outcome="puk-asb", hours="all", kind="hotspot")
    by_hand = [
        inside.filter(pl.col("period_start").is_between(date(year, 4, 1), date(year, 12, 1)))[
            "count"
        ].sum()
        for year in (2020, 2021)
    ]
    found = json.loads(run(app, ["claim", CLAIM, str(study), "--json"]).output)
    assert [found["counted_then"], found["counted_now"]] == by_hand


def test_the_right_figure_is_called_right(study: Path) -> None:
    found = json.loads(run(app, ["claim", CLAIM, str(study), "--json"]).output)
    change = 100 * (found["counted_now"] / found["counted_then"] - 1)
    way = "down" if change < 0 else "up"
    text = f"ASB {way} {abs(change):.1f} % April to December 2021 against 2020"
    assert "The claimed figure is right" in run(app, ["claim", text, str(study)]).output
    wrong = text.replace(f"{abs(change):.1f}", f"{abs(change) + 1:.1f}")
    assert "The claim says" in run(app, ["claim", wrong, str(study)]).output


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--now", "2031-01"], "the study counts from"),
        (["--outcome", "arson"], "not counted in this study"),
        (["--place", "H99"], "no treated hot spot is called"),
    ],
)
def test_what_the_study_lacks_is_said(study: Path, more: list[str], says: str) -> None:
    shown = run(app, ["claim", CLAIM, str(study), *more])
    assert shown.exit_code != 0
    assert says in str(shown.exception)


def test_an_open_plan_keeps_its_outcomes_masked(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "s", permutations="0", exploratory="false")
    shown = run(app, ["claim", CLAIM, str(folder)])
    assert shown.exit_code != 0
    assert "not locked" in str(shown.exception)
