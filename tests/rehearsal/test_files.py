"""The written folder: the same bytes again, every fault where the truth says."""

import hashlib
import json
import tomllib
from pathlib import Path

import polars as pl
import pytest

from placeproof.errors import OutputError, SettingsError
from placeproof.rehearsal import FAULTS, FEEDS, write_force

ALL = frozenset(FAULTS)


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rehearsal") / "clean"
    return write_force(folder, seed=7, size="small", effect="default")


@pytest.fixture(scope="module")
def dirty(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rehearsal") / "dirty"
    return write_force(folder, seed=7, size="small", effect="default", faults=ALL)


def told(folder: Path) -> dict:
    return json.loads((folder / "truth.json").read_text(encoding="utf-8"))


def test_same_seed_same_bytes_and_faults_touch_only_their_files(clean, dirty):
    a, b = digests(clean), digests(dirty)
    assert a.keys() == b.keys()
    touched = {f"data/{fault['file']}" for fault in told(dirty)["faults"]}
    assert len(touched) == len(FAULTS) == 14
    assert {name for name in a if a[name] != b[name]} == touched | {"truth.json", "README.md"}


def test_every_feed_of_the_settings_has_its_files_and_headers(clean):
    settings = tomllib.loads((clean / "study.toml").read_text(encoding="utf-8"))
    for name, feed in settings["data"].items():
        found = [p for pattern in feed["files"] for p in (clean / "data").glob(pattern)]
        assert found, name
        for path in found:
            if path.suffix != ".csv" and not path.name.endswith(".csv.gz"):
                continue
            columns = pl.read_csv(
                path,
                separator=feed.get("separator", ","),
                encoding="cp1252" if feed.get("encoding") == "cp1252" else "utf8",
                n_rows=0,
            ).columns
            headers = [column.removeprefix("\ufeff") for column in columns]
            assert set(feed["columns"].values()) <= set(headers), name


def test_latest_versions_of_the_extracts_are_what_happened(clean):
    files = sorted((clean / "data" / "crimes").glob("*.csv"))
    rows = pl.concat([pl.read_csv(f, infer_schema=False) for f in files])
    latest = rows.unique("Crime Number", keep="last", maintain_order=True)
    facts = told(clean)["feeds"]["crimes"]
    assert latest.height == facts["crimes"]
    assert latest.filter(pl.col("Crime Status") == "Live").height == facts["recorded"]
    assert 1.2 < rows.height / latest.height < 1.7
    first = rows.unique("Crime Number", keep="first", maintain_order=True)
    changed = first.join(latest, on="Crime Number", suffix="_then").filter(
        pl.col("Offence Code") != pl.col("Offence Code_then")
    )
    assert changed.height > 500
    violence = latest.filter(pl.col("Offence Group").str.starts_with("Violence"))
    assert 0.5 < (violence["Location Type"] == "Dwelling").mean() < 0.72


def test_each_fault_stands_where_the_truth_says(clean, dirty):
    for fault in told(dirty)["faults"]:
        good = (clean / "data" / fault["file"]).read_bytes().split(b"\n")
        bad = (dirty / "data" / fault["file"]).read_bytes().split(b"\n")
        assert fault["rows"], fault["fault"]
        if fault["fault"] == "repeated-header":
            assert all(bad[row - 1] == good[0] for row in fault["rows"])
            assert [line for i, line in enumerate(bad) if i == 0 or line != good[0]] == good
            continue
        differ = {i + 1 for i, (x, y) in enumerate(zip(good, bad, strict=False)) if x != y}
        # One further row of mixed-encodings holds the same letter in UTF-8 and is no fault.
        extra = differ - set(fault["rows"])
        assert set(fault["rows"]) <= differ, fault["fault"]
        assert len(extra) == (1 if fault["fault"] == "mixed-encodings" else 0), fault["fault"]


def test_positions_inside_hot_spots_last_as_long_as_the_truth_says(clean):
    facts = told(clean)["feeds"]["pings"]
    assert facts["pings"] <= 300_000
    assert 8 < facts["true_minutes"] / facts["visits"] < 25
    logs = told(clean)["feeds"]["logs"]
    assert logs["phantom_share"] == pytest.approx(0.12, abs=0.005)


def test_survey_and_interviews_reach_their_targets(clean):
    feeds = told(clean)["feeds"]
    assert feeds["survey"]["eligible"] >= 2_000
    assert feeds["survey"]["areas"] >= 20
    assert feeds["interviews"]["people"] - feeds["interviews"]["people_without_consent"] >= 200
    assert feeds["interviews"]["areas"] >= 20
    turns = pl.read_csv(clean / "data/interviews/turns.csv")
    spans = pl.read_csv(clean / "data/interviews/coded_spans.csv")
    joined = spans.join(turns, on=["Session", "Turn"])
    assert (joined["End"] <= joined["Words"].str.len_chars()).all()


def test_mean_answers_keep_to_what_was_planted(clean):
    settings = tomllib.loads((clean / "study.toml").read_text(encoding="utf-8"))
    feed = settings["data"]["responses"]
    answers = pl.read_csv(clean / "data/survey/responses.csv", infer_schema=False)
    header = feed["columns"]["confidence_overall"]
    values = {k: int(v) for k, v in feed["values"]["confidence_overall"].items()}
    given = answers[header].drop_nulls().replace_strict(values, return_dtype=pl.Int64)
    planted = next(
        row["expected_mean"]
        for row in told(clean)["feeds"]["survey"]["expected"]
        if (row["item"], row["population"], row["subgroup"]) == ("confidence_overall", "all", "all")
    )
    assert abs(given.mean() - planted) < 4 * given.std() / len(given) ** 0.5


def test_feeds_can_be_left_out_one_by_one(tmp_path):
    folder = write_force(
        tmp_path / "bare",
        seed=7,
        size="small",
        effect="none",
        without=frozenset(FEEDS) - {"hotspots", "cost"},
    )
    settings = tomllib.loads((folder / "study.toml").read_text(encoding="utf-8"))
    assert set(settings["data"]) == {"hotspots_city", "hotspots_towns", "cost"}


def test_wrong_words_and_full_folders_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="no size"):
        write_force(tmp_path / "a", seed=1, size="huge", effect="none")
    with pytest.raises(SettingsError, match="no fault"):
        write_force(tmp_path / "a", seed=1, size="small", effect="none", faults={"gremlins"})
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="already holds"):
        write_force(tmp_path / "b", seed=1, size="small", effect="none")
    assert (tmp_path / "b" / "mine.txt").read_text() == "mine"


def test_settings_and_plan_are_read_by_the_study(clean):
    settings = pytest.importorskip("placeproof.study.settings")
    plan = pytest.importorskip("placeproof.study.plan")
    study = settings.read_study(clean)
    assert not study.empty_patterns
    assert plan.read_plan(clean).exploratory


def read_feed(folder: Path, name: str):
    from placeproof import files
    from placeproof.files import geo
    from placeproof.study.settings import read_study

    study = read_study(folder)
    area = geo.outline(study.area, crs=study.area_crs)
    spec = next(feed for feed in study.feeds if feed.name == name)
    return files.read(spec, files.Surroundings(area, study.start, study.cut_off))


def test_a_rehearsal_without_faults_loses_no_row(clean):
    settings = tomllib.loads((clean / "study.toml").read_text(encoding="utf-8"))
    for name in settings["data"]:
        result = read_feed(clean, name)
        assert result.receipts["rows_quarantined"].sum() == 0, name
        assert not result.notices.filter(pl.col("severity") == "error").height, name
    crimes = read_feed(clean, "crimes").tables["crime"]
    facts = told(clean)["feeds"]["crimes"]
    assert crimes.height == facts["crimes"]
    assert (crimes["status"] == "recorded").sum() == facts["recorded"]
    assert (crimes["location_quality"] == "missing").sum() == facts["missing_location"]


def test_suppressed_admissions_are_read_as_suppressed(clean):
    result = read_feed(clean, "admissions")
    assert result.receipts["rows_quarantined"].sum() == 0
    admissions = result.tables["admission"]
    assert admissions["suppressed"].sum() == told(clean)["feeds"]["admissions"]["suppressed"]
    assert (
        admissions.filter("suppressed")["admissions"].null_count() == admissions["suppressed"].sum()
    )


def test_check_names_every_planted_row_of_every_fault(dirty):
    result = read_feed(dirty, "crimes")
    named = pl.concat([result.quarantine, result.flagged])
    for fault in told(dirty)["faults"]:
        here = named.filter(pl.col("path").str.ends_with(fault["file"]))
        missed = set(fault["rows"]) - set(here["source_row"].to_list())
        assert not missed, (fault["fault"], sorted(missed)[:5])
