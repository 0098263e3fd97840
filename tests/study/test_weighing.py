"""Harm: an index that the user supplies, its edition named, its gaps listed."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from placeproof.errors import InputError, SettingsError
from placeproof.study.lock import lock_state
from placeproof.study.plan import read_plan
from placeproof.study.reading import Inputs, read_all
from placeproof.study.settings import Study, read_study
from placeproof.study.weighing import weigh_harm
from placeproof.study.work import Work
from tests.study.conftest import STUDY, make_study, quiet

HARM = (
    '[harm]\nfile = "harm.csv"\nedition = "Invented index 2026"\ncode = "Code"\nweight = "Days"\n'
)


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Study, Inputs]:
    folder = make_study(tmp_path_factory.mktemp("harm") / "s")
    (folder / "data" / "harm.csv").write_text("Code,Days\nA1,10\nB2,1\n")
    (folder / "study.toml").write_text(STUDY + HARM)
    study = read_study(folder)
    inputs = read_all(study, quiet)
    crime = inputs.tables["crime"].with_columns(
        offence_code=pl.when(pl.col("category") == "robbery")
        .then(pl.lit("A1"))
        .when(pl.col("category") == "burglary")
        .then(pl.lit("C3"))
        .otherwise(pl.lit("B2"))
    )
    return folder, study, replace(inputs, tables={**inputs.tables, "crime": crime})


def weighed(read: tuple[Path, Study, Inputs]) -> pl.DataFrame:
    folder, study, inputs = read
    plan = read_plan(folder)
    lock = lock_state(folder, plan, outcomes_public=False, mappings={})
    work = Work(study, plan, lock, inputs, quiet)
    weigh_harm(work)
    return pl.concat(work.estimates)


def test_harm_is_concentrated_by_weight_and_unknown_codes_are_listed(
    read: tuple[Path, Study, Inputs],
) -> None:
    rows = weighed(read)
    assert rows["definition_edition"].str.starts_with("harm@Invented index 2026:").all()
    crime = (
        read[2]
        .tables["crime"]
        .filter(pl.col("month").is_between(pl.date(2020, 9, 1), pl.date(2021, 2, 28)))
    )
    unknown = rows.filter(estimand="count")
    assert unknown["estimate"].item() == crime.filter(category="burglary").height
    assert "C3" in unknown["reason"].item()
    harm = crime.with_columns(
        harm=pl.col("offence_code").replace_strict({"A1": 10.0, "B2": 1.0}, default=None)
    ).drop_nulls(["harm", "easting_m"])
    cells = (
        harm.group_by((pl.col("easting_m") / 200).floor(), (pl.col("northing_m") / 200).floor())
        .agg(pl.col("harm").sum())["harm"]
        .sort(descending=True)
    )
    share = rows.filter(estimand="top_share", horizon="top=10")["estimate"].item()
    assert share == pytest.approx(cells.head(10).sum() / cells.sum(), abs=1e-12)


def test_an_index_without_edition_or_column_is_refused(
    read: tuple[Path, Study, Inputs], tmp_path: Path
) -> None:
    folder, _, inputs = read
    settings = folder / "study.toml"
    settings.write_text(STUDY + HARM.replace('edition = "Invented index 2026"\n', ""))
    with pytest.raises(SettingsError, match="two editions, two results"):
        read_study(folder)
    settings.write_text(STUDY + HARM.replace('"Days"', '"Weeks"'))
    with pytest.raises(InputError, match="has no column"):
        weighed((folder, read_study(folder), inputs))
    settings.write_text(STUDY + HARM)
