"""What a hostile or unlucky user does to a study: nothing is lost, shown early or misnamed."""

import json
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from placeproof import hotspots
from placeproof.errors import OutputError, SettingsError
from placeproof.study import placing, store
from placeproof.study.check import check
from placeproof.study.lock import lock_state
from placeproof.study.manifest import settings_sha256, texts
from placeproof.study.plan import read_plan
from placeproof.study.reading import Inputs, read_all
from placeproof.study.rehearsing import rehearse
from placeproof.study.run import run
from placeproof.study.settings import read_study
from placeproof.study.work import Work
from tests.study.conftest import STUDY, make_study, plan, quiet


def _few_months(folder: Path) -> Path:
    """Leave one month of the archive, so that reading takes no time."""
    for month in sorted((folder / "data" / "archive").iterdir())[1:]:
        for path in month.iterdir():
            path.unlink()
        month.rmdir()
    return folder


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A small study of one month."""
    return _few_months(make_study(tmp_path / "study", permutations="0"))


@pytest.mark.parametrize(
    ("start", "expected"),
    [("patrols_start = 2021-02-15", "2021-02-01"), ("", "2021-03-01")],
)
def test_an_open_plan_masks_where_nobody_said_when_patrols_started(
    study: Path, start: str, expected: str
) -> None:
    text = plan(exploratory="false", derive="false")
    (study / "plan.toml").write_text(re.sub("patrols_start = .*", start, text), encoding="utf-8")
    chosen = read_plan(study)
    nothing = Inputs({}, None, None)  # type: ignore[arg-type]
    lock = lock_state(study, chosen, outcomes_public=False, mappings={})
    work = Work(read_study(study), chosen, lock, nothing, quiet)
    assert placing.first_start(work) is None
    assert str(placing.masked_from(work)) == expected


def test_no_share_is_told_where_no_later_event_can_be_seen() -> None:
    before = pl.DataFrame({"place_id": ["a", "b", "c"], "count": [9.0, 5.0, 2.0]})
    told = hotspots.persistence(
        before,
        before.with_columns(count=pl.lit(0.0)),
        hotspot_ids=["a"],
        outcome="o",
        outcome_label="o",
        definition_edition=None,
        windows=((date(2020, 1, 1), date(2020, 6, 30)), (date(2021, 1, 1), date(2021, 6, 30))),
        feeds="crime",
    )
    share = told.filter(pl.col("estimand") == "share_still_among_hottest").row(0, named=True)
    assert (share["status"], share["estimate"]) == ("not_identified", None)


def test_another_outline_or_mapping_is_another_run(study: Path) -> None:
    first = settings_sha256(read_study(study))
    assert settings_sha256(read_study(study)) == first
    area = study / "data" / "area.geojson"
    area.write_text(area.read_text().replace("-1.2,", "-1.19,"), encoding="utf-8")
    second = settings_sha256(read_study(study))
    (study / "study.toml").write_text(STUDY + 'encoding = "cp1252"\n', encoding="utf-8")
    assert len({first, second, settings_sha256(read_study(study))}) == 3


@pytest.mark.parametrize("name", ['"../../esc"', '"a/b"', '".hidden"', '"a\\\\b"'])
def test_a_feed_cannot_name_a_file_elsewhere(study: Path, name: str) -> None:
    (study / "study.toml").write_text(STUDY.replace("data.police_uk", f"data.{name}"))
    with pytest.raises(SettingsError, match="the name of a feed holds"):
        read_study(study)


def test_own_paragraphs_that_are_not_utf8_are_named_before_anything_is_done(study: Path) -> None:
    (study / "text").mkdir()
    (study / "text" / "aims.md").write_bytes(b"caf\xe9")
    (study / "text" / "odd.md").mkdir()
    with pytest.raises(SettingsError, match=r"text/aims\.md: byte 4 is not UTF-8"):
        run(study, until="outcomes", progress=quiet)
    assert "text" in {problem.where for problem in check(study, quiet)}
    (study / "text" / "aims.md").write_bytes(b"\xef\xbb\xbfAims")
    assert texts(study) == {"aims": "Aims"}


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("level", "nan", 'key "level": found nan'),
        ("side_m", "inf", 'key "side_m": found inf'),
        ("ring_edges_m", "[false, true]", 'key "ring_edges_m"'),
        ("ring_edges_m", "[0, nan]", 'key "ring_edges_m"'),
        ("headline_per_question", "{ RQ1 = 3 }", "RQ1 = 3, expected the id of an outcome"),
    ],
)
def test_values_without_sense_are_named(study: Path, key: str, value: str, told: str) -> None:
    (study / "plan.toml").write_text(plan(**{key: value}))
    with pytest.raises(SettingsError, match=re.escape(told)):
        read_plan(study)


def test_a_folder_in_the_place_of_the_plan(study: Path) -> None:
    (study / "plan.toml").unlink()
    (study / "plan.toml").mkdir()
    with pytest.raises(SettingsError, match=r"plan.toml cannot be read"):
        read_plan(study)


def _placed(study: Path, text: str) -> store.Building:
    building = store.start(study)
    building.write_json("manifest.json", {"text": text})
    return building


def test_a_run_that_cannot_be_put_in_place_leaves_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.finish(_placed(tmp_path, "old"), "run", newest=True)
    building = _placed(tmp_path, "new")
    replace = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if self == building.folder:
            raise PermissionError(13, "in use")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OutputError):
        store.finish(building, "run", newest=True)
    current = store.current_run(tmp_path)
    assert current is not None
    assert json.loads((current / "manifest.json").read_text()) == {"text": "old"}


def test_a_kill_while_a_run_is_put_in_place_loses_nothing(tmp_path: Path) -> None:
    store.finish(_placed(tmp_path, "old"), "run", newest=True)
    (tmp_path / "runs" / "run").replace(tmp_path / "runs" / ".building-999999999-old-run")
    assert store.current_run(tmp_path) is None
    store.abandon(store.start(tmp_path))
    assert store.current_run(tmp_path) == tmp_path / "runs" / "run"


def _again(folder: Path, size: str = "small") -> Path:
    return rehearse(
        folder, seed=1, size=size, effect="default", faults=[], without=[], replace=True
    )


@pytest.mark.parametrize("mark", ["{}", "no JSON", '{"effects": []}'])
def test_only_a_rehearsal_is_replaced(tmp_path: Path, mark: str) -> None:
    (tmp_path / "truth.json").write_text(mark)
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(SettingsError, match="othing is replaced"):
        _again(tmp_path)
    assert (tmp_path / "thesis.docx").read_text() == "years of work"


def test_a_choice_that_is_unknown_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text('{"effects": []}')
    (tmp_path / "data").mkdir()
    with pytest.raises(SettingsError, match="no size"):
        _again(tmp_path, size="bogus")
    assert {path.name for path in tmp_path.iterdir()} == {"truth.json", "data"}


def test_a_link_in_a_rehearsal_is_removed_and_not_followed(tmp_path: Path) -> None:
    kept, folder = tmp_path / "kept", tmp_path / "force"
    kept.mkdir()
    (kept / "mine.csv").write_text("mine")
    folder.mkdir()
    (folder / "truth.json").write_text('{"effects": []}')
    (folder / "data").symlink_to(kept, target_is_directory=True)
    _again(folder)
    assert (kept / "mine.csv").read_text() == "mine"
    assert not (folder / "data").is_symlink()
    assert json.loads((folder / "truth.json").read_text())["effects"]


def test_a_file_is_no_folder_for_a_rehearsal(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SettingsError, match="is a file"):
        _again(tmp_path / "notes.txt")


def test_a_register_without_one_place_in_the_force_says_so(study: Path) -> None:
    register = json.loads((study / "data" / "area.geojson").read_text())
    feature = register["features"][0]
    feature["properties"] = {"id": "H1", "v": 1, "from": "2021-01-01", "start": "2021-03-15"}
    ring = feature["geometry"]["coordinates"][0]
    feature["geometry"]["coordinates"] = [[[lon - 1, lat + 1] for lon, lat in ring]]
    (study / "data" / "hot.geojson").write_text(json.dumps(register), encoding="utf-8")
    (study / "study.toml").write_text(
        STUDY
        + """
[data.hot]
contract = "hotspot"
files = ["hot.geojson"]
crs = "EPSG:4326"
date_format = "%Y-%m-%d"
[data.hot.columns]
hotspot_id = "id"
version = "v"
valid_from = "from"
first_treated = "start"
"""
    )
    inputs = read_all(read_study(study), quiet)
    assert inputs.get("hotspot") is None
    assert "not one row" in inputs.missing["hotspot"]


def test_an_empty_month_is_not_supplied_and_the_others_stay(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "s")
    empty = folder / "data" / "archive" / "2020-05" / "2020-05-inventshire-street.csv"
    empty.write_text("")
    problems = check(folder, quiet)
    assert [problem.code for problem in problems if problem.severity == "error"] == ["empty-file"]
    made = run(folder, until="panel", progress=quiet).folder
    panel = pl.read_parquet(made / "tables" / "panel.parquet")
    by_month = panel.group_by("period_start").agg(pl.col("count").null_count(), n=pl.len())
    absent = by_month.filter(pl.col("count") == pl.col("n"))["period_start"].to_list()
    assert absent == [date(2020, 5, 1)]


def test_what_stood_in_a_faulty_cell_is_not_told_outside_the_force() -> None:
    from placeproof.study.writing import released_notices

    told = 'data/a.csv, row 7, column "ASB": not-allowed, found "Mary "M" Invented", expected'
    notices = pl.DataFrame({"message": [f"{told} one of a, b. Rows like this: 1; in quarantine."]})
    message = released_notices(notices)["message"].item()
    assert "Invented" not in message
    assert message.startswith('data/a.csv, row 7, column "ASB": not-allowed, expected one of a, b.')


def test_premises_and_streets_are_looked_at_before_a_run(study: Path) -> None:
    (study / "data" / "stations.csv").write_text("name,easting_m,northing_m,radius_m\nA,,1,1\n")
    (study / "data" / "streets.geojson").write_text("{}")
    settings = STUDY.replace(
        "[data.police_uk]",
        '[premises]\nfile = "stations.csv"\n[streets]\nfile = "streets.geojson"\n[data.police_uk]',
    )
    (study / "study.toml").write_text(settings)
    told = {one.where: one for one in check(study, quiet) if one.severity == "error"}
    assert "stations.csv, row 2" in told["study.toml, [premises]"].message
    assert "streets.geojson" in told["study.toml, [streets]"].message
