"""The real Leicestershire study on public data: what it must account for, show and not say."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from placeproof.study.run import run
from tests.study.conftest import quiet

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "leicestershire-public"
FILES = (
    "police-uk-leicestershire-2019-12-to-2022-10.zip",
    "leicestershire_pfa20.geojson",
    "leics_force_lsoa11.geojson",
)

pytestmark = [pytest.mark.shared_data, pytest.mark.slow]


@pytest.fixture(scope="module")
def leicestershire(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of the example study, with its data copied beside it."""
    folder = tmp_path_factory.mktemp("leicestershire") / "study"
    shutil.copytree(EXAMPLE, folder)
    (folder / "data").mkdir()
    for name in FILES:
        shutil.copy(shared_data / "leicestershire" / name, folder / "data" / name)
    return run(folder, until=None, progress=quiet).folder


@pytest.fixture(scope="module")
def findings(leicestershire: Path) -> pl.DataFrame:
    return pl.read_parquet(leicestershire / "tables" / "finding.parquet")


def test_every_row_is_accounted_for(leicestershire: Path) -> None:
    receipts = pl.read_parquet(leicestershire / "tables" / "receipts.parquet")
    assert receipts.height == 35
    assert receipts["rows_in"].sum() == 301_838
    assert receipts["rows_kept"].sum() + receipts["rows_quarantined"].sum() == 301_838


def test_repeated_disorder_is_kept(findings: pl.DataFrame) -> None:
    asb = findings.filter(outcome="puk-asb", estimand="missing_location_share", horizon="all")
    assert asb["n"].item() == 33_364
    assert asb["estimate"].item() == 0


def test_the_changing_share_of_missing_locations_is_shown_and_bounded(
    findings: pl.DataFrame,
) -> None:
    monthly = findings.filter(
        pl.col("outcome") == "puk-all-crime-reported",
        pl.col("estimand") == "missing_location_share",
        pl.col("horizon") != "all",
    )
    assert monthly.height == 35
    early = monthly.filter(pl.col("horizon") <= "2020-05")["estimate"]
    middle = monthly.filter(pl.col("horizon").is_between(pl.lit("2020-06"), pl.lit("2022-02")))[
        "estimate"
    ]
    assert early.min() > 0.04  # type: ignore[operator]
    assert middle.max() < 0.02  # type: ignore[operator]
    bounds = findings.filter(method="poisson_imputation_unlocated", estimand="rate_ratio")
    order = ("lowest", "fewer", "proportional", "more", "highest")
    for outcome in bounds["outcome"].unique():
        mine = dict(bounds.filter(outcome=outcome).select("horizon", "estimate").iter_rows())
        values = [mine[f"unlocated={name}"] for name in order]
        assert values == sorted(values)
    steps = findings.filter(estimand="step_in_recording", outcome="recording:crime-missing")
    assert steps["horizon"].to_list() == ["2020-06"]


def test_answers_go_as_far_as_months_and_snap_points_allow(leicestershire: Path) -> None:
    content = json.loads((leicestershire / "answers.json").read_text(encoding="utf-8"))
    status = {row["question"]: row["status"] for row in content["answers"]}
    assert {status[f"RQ{i}"] for i in (1, 2, 3)} == {"partly"}
    assert {status[f"RQ{i}"] for i in range(4, 11)} == {"not answerable"}
    for row in content["answers"]:
        assert row["because"]


def test_the_reopening_is_flagged(leicestershire: Path) -> None:
    report = (leicestershire / "report.html").read_text(encoding="utf-8")
    assert "19 July 2021" in report
    assert "reopen" in report.lower()


def test_the_mixed_category_is_never_called_serious_violence(leicestershire: Path) -> None:
    findings = pl.read_parquet(leicestershire / "tables" / "finding.parquet")
    mixed = findings.filter(outcome="puk-violence-and-sexual-offences")
    assert mixed.height
    assert not mixed["outcome_label"].str.to_lowercase().str.contains("serious").any()


def test_before_and_after_alone_is_labelled_not_impact(findings: pl.DataFrame) -> None:
    alone = findings.filter(method="before_after")
    assert alone.height
    assert set(alone["role"]) == {"not_impact"}


def test_every_event_is_in_an_area_or_accounted_for(
    leicestershire: Path, findings: pl.DataFrame
) -> None:
    areas = pl.read_parquet(leicestershire / "tables" / "panel_lsoa.parquet")
    assert areas["place_id"].n_unique() == 611
    assert areas["period_start"].n_unique() == 35
    fates = findings.filter(
        outcome="puk-all-crime-reported",
        method="reconciliation",
        population="lower-layer super output areas",
    )
    count = dict(zip(fates["horizon"], fates["estimate"], strict=True))
    assert sum(value for fate, value in count.items() if fate != "all") == count["all"]
    assert count["in the panel"] == areas.filter(outcome="puk-all-crime-reported")["count"].sum()
    assert count["outside all places"] > 0


def test_twenty_four_places_and_their_comparison(leicestershire: Path) -> None:
    places = pl.read_parquet(leicestershire / "tables" / "place.parquet")
    kinds = dict(places.group_by("kind").len().iter_rows())
    assert kinds["hotspot"] == 24
    assert kinds["comparison"] == 48
    assert places.filter(kind="hotspot")["area_m2"].max() <= 200 * 200 + 1e-6  # type: ignore[operator]
