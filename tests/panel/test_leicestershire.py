"""Counts by small area and month over three years of real crimes, and their missing locations."""

import io
import json
import time
import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from placeproof.panel import build_many, missing_location, reconcile
from placeproof.tables import Place

pytestmark = pytest.mark.shared_data

ABOUT = {
    "outcome": "all-crime",
    "outcome_label": "All recorded crime and disorder",
    "definition_edition": None,
    "feeds": "crime incident",
}


@pytest.fixture(scope="module")
def areas(shared_data: Path) -> pl.DataFrame:
    text = (shared_data / "leicestershire" / "leics_force_lsoa11.geojson").read_text("utf-8")
    rows = [
        dict.fromkeys(Place.column_names())
        | {"place_id": f["properties"]["lsoa11_code"], "name": f["properties"]["lsoa11_name"]}
        | {"kind": "lsoa", "group": "other", "version": 1}
        for f in json.loads(text)["features"]
    ]
    schema = {n: c.dtype for n, c in Place.columns().items()}
    return Place.validate(pl.DataFrame(rows, schema=schema))


@pytest.fixture(scope="module")
def events(shared_data: Path, areas: pl.DataFrame) -> pl.DataFrame:
    archive = shared_data / "leicestershire" / "police-uk-leicestershire-2019-12-to-2022-10.zip"
    with zipfile.ZipFile(archive) as source:
        raw = pl.concat(
            pl.read_csv(
                io.BytesIO(source.read(name)),
                columns=["Month", "Longitude", "LSOA code", "Crime type"],
                schema_overrides={"Longitude": pl.Float64},
            )
            for name in sorted(source.namelist())
            if name.endswith(".csv")
        )
    codes = pl.col("LSOA code").is_in(areas["place_id"].to_list())
    return raw.select(
        month=(pl.col("Month") + "-01").str.to_date(),
        category="Crime type",
        lsoa_code="LSOA code",
        place_id=pl.when(codes).then("LSOA code"),
    )


def test_areas_by_month_account_for_every_row_in_time(
    events: pl.DataFrame, areas: pl.DataFrame
) -> None:
    months = sorted(events["month"].unique())
    parts = {str(k[0]): v for k, v in events.partition_by("category", as_dict=True).items()}
    started = time.perf_counter()
    panel = build_many(
        parts,
        areas,
        period_kind="month",
        first=months[0],
        last=date(2022, 10, 31),
        supplied_months=dict.fromkeys(parts, months),
        nte_intervals=None,
    )
    assert time.perf_counter() - started < 3
    assert len(panel) == 14 * 611 * 35
    assert panel["count"].null_count() == 0
    fates: dict[str, float] = {}
    for name, rows in parts.items():
        mine = panel.filter(pl.col("outcome") == name)
        for fate, n in (
            reconcile(rows, mine, outcome_label=name, population="areas", feeds="crime")
            .select("horizon", "estimate")
            .iter_rows()
        ):
            fates[fate] = fates.get(fate, 0.0) + n
    assert fates["all"] == 301_838
    assert fates["without a location"] == 7_463
    assert fates["outside all places"] == 583
    assert fates["in the panel"] == 301_838 - 7_463 - 583


def test_share_without_location_moves_as_counted_by_hand(events: pl.DataFrame) -> None:
    rows = missing_location(events, located_by="lsoa_code", **ABOUT)  # type: ignore[arg-type]
    by_month = dict(rows.filter(pl.col("horizon") != "all").select("horizon", "estimate").rows())
    assert len(by_month) == 35
    early = [v for k, v in by_month.items() if k <= "2020-05"]
    middle = [v for k, v in by_month.items() if "2020-06" <= k <= "2022-02"]
    late = [v for k, v in by_month.items() if k >= "2022-03"]
    # The shares that stand in the notes on the data, rounded as there.
    assert (round(min(early), 2), round(max(early), 2)) == (0.04, 0.14)
    assert (round(min(middle), 3), round(max(middle), 3)) == (0.002, 0.012)
    assert (round(min(late), 3), round(max(late), 3)) == (0.026, 0.045)
    assert "by month" in rows.filter(pl.col("horizon") == "all")["reason"][0]
    disorder = events.filter(pl.col("category") == "Anti-social behaviour")
    located = missing_location(disorder, located_by="lsoa_code", **ABOUT)  # type: ignore[arg-type]
    assert set(located["estimate"]) == {0.0}
