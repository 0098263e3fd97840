"""The effect by LSOA and month, beside the one in the hot spots."""

import json
from pathlib import Path

import polars as pl
import pytest

from placeproof.study.run import run
from tests.study.conftest import AREA, STUDY, make_study, quiet

LSOA = '\n[lsoa]\nfile = "lsoas.geojson"\ncode = "code"\n'


def strips(codes: int) -> str:
    """As many strips as the archive has area codes, from west to east over the whole area."""
    ring = AREA["features"][0]["geometry"]["coordinates"][0]
    west, east = min(x for x, _ in ring), max(x for x, _ in ring)
    south, north = min(y for _, y in ring), max(y for _, y in ring)
    step = (east - west) / codes
    features = []
    for i in range(codes):
        left, right = west + i * step, west + (i + 1) * step
        outline = [[left, south], [right, south], [right, north], [left, north], [left, south]]
        features.append(
            {
                "type": "Feature",
                "properties": {"code": f"E0100000{i}"},
                "geometry": {"type": "Polygon", "coordinates": [outline]},
            }
        )
    return json.dumps({"type": "FeatureCollection", "features": features})


def findings_of(folder: Path) -> pl.DataFrame:
    made = run(folder, until="answers", progress=quiet)
    table = pl.read_parquet(made.folder / "tables" / "finding.parquet")
    return table.filter(population="areas with treated hot spots")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = make_study(tmp_path / "s", permutations="9", n="2", ring_edges_m="[0, 50, 100]")
    (folder / "data" / "lsoas.geojson").write_text(strips(9), encoding="utf-8")
    (folder / "study.toml").write_text(STUDY + LSOA, encoding="utf-8")
    return folder


def test_headlines_are_estimated_by_lsoa_or_refused_in_words(study: Path) -> None:
    found = findings_of(study)
    ratios = found.filter(estimand="rate_ratio", method="poisson_imputation_jackknife")
    assert set(ratios["outcome"]) == {
        "puk-violence-and-sexual-offences", "puk-robbery", "puk-all-crime", "puk-asb",
    }  # fmt: skip
    assert set(ratios["role"]) == {"robustness"}
    assert ratios.filter(pl.col("status") != "estimated")["reason"].null_count() == 0
    assert ratios.filter(status="estimated").height


def test_no_area_with_a_hot_spot_is_said(study: Path) -> None:
    """Areas far away from every hot spot: nothing is treated, and the run says so."""
    far = json.loads(strips(9))
    for feature in far["features"]:
        for point in feature["geometry"]["coordinates"][0]:
            point[1] -= 1.0
    (study / "data" / "lsoas.geojson").write_text(json.dumps(far), encoding="utf-8")
    ratios = findings_of(study)
    assert set(ratios["status"]) == {"not_identified"}
    assert set(ratios["reason"]) == {"No LSOA holds a patrolled hot spot."}


def test_an_open_plan_shows_no_effect_by_lsoa(study: Path) -> None:
    plan = (study / "plan.toml").read_text(encoding="utf-8")
    opened = plan.replace("exploratory = true", "exploratory = false")
    (study / "plan.toml").write_text(opened, encoding="utf-8")
    assert findings_of(study).is_empty()
