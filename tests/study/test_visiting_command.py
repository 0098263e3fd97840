"""`placeproof pack` and `placeproof visits` as a person types them, without a study."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import shapely
from typer.testing import CliRunner

from placeproof.cli import app
from placeproof.errors import InputError, OutputError, SettingsError, StudyError
from placeproof.files import packed
from placeproof.study import waiting


def typed(*words: object) -> str:
    """What the command prints; what a user can mend is raised, as `main` gets it."""
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=True)
    if isinstance(result.exception, StudyError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def export(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    rows = 4_000
    path = tmp_path / "pings.csv"
    pl.DataFrame(
        {
            "device_id": [f"R{n}" for n in rng.integers(0, 6, rows)],
            "timestamp": pl.Series(
                np.datetime64("2021-07-26T12:00:00", "ms")
                + (np.arange(rows) * 2).astype("timedelta64[s]")
            ).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "longitude": -1.1300 + rng.normal(0, 1e-3, rows).cumsum() % 0.01,
            "latitude": 52.6300 + rng.normal(0, 5e-4, rows).cumsum() % 0.003,
        }
    ).write_csv(path)
    with path.open("a", encoding="utf-8") as file:
        file.write("R1,2021-07-26T12:00:00Z,,\n")
    return path


@pytest.fixture
def outlines(tmp_path: Path) -> Path:
    return outlines_at(tmp_path / "hotspots.geojson", -1.13, 52.63)


def outlines_at(path: Path, west: float, south: float, **more: object) -> Path:
    def square(x: float, y: float) -> list[list[list[float]]]:
        return [[[x, y], [x + 0.003, y], [x + 0.003, y + 0.002], [x, y + 0.002], [x, y]]]

    features = [
        {
            "type": "Feature",
            "properties": {"hotspot_id": f"H{n}", **more},
            "geometry": {"type": "Polygon", "coordinates": square(west + 0.004 * n, south)},
        }
        for n in range(3)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


RULE = ("--longest-gap-s", 90, "--shortest-dwell-s", 0)


def test_pack_then_visits(tmp_path: Path, export: Path, outlines: Path) -> None:
    said = typed("pack", export, "--to", tmp_path / "packed")
    assert "rows in 4,001 = packed 4,000 + quarantined 1" in said
    assert "no-point: 1" in said
    assert all(len(line) <= 80 for line in said.splitlines() if str(tmp_path) not in line)
    target = tmp_path / "out" / "visits.parquet"
    said = typed("visits", tmp_path / "packed", "--hotspots", outlines, *RULE, "--to", target)
    assert "from 4,000 positions" in said
    assert "path order_free" in said
    assert all(len(line) <= 80 for line in said.splitlines() if str(tmp_path) not in line)
    visits = pl.read_parquet(target)
    assert visits.height > 10
    assert [path.name for path in target.parent.iterdir()] == ["visits.parquet"]
    for device in visits["device_id"].unique():
        assert device not in said.split()
    found = json.loads(
        typed("visits", tmp_path / "packed", "--hotspots", outlines, *RULE, "--json")
    )
    assert (found["visits"], found["pings"]) == (visits.height, 4_000)
    assert found["minutes"] == pytest.approx(visits["dwell_s"].sum() / 60)
    direct = json.loads(typed("visits", export, "--hotspots", outlines, *RULE, "--json"))
    assert (direct["visits"], direct["rows_left_out"]) == (visits.height, 1)


def test_a_mapping_that_is_not_certain_is_asked_for(tmp_path: Path, outlines: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("wagen,wann,a,b\nR1,2021-07-26 12:00:00,-1.129,52.631\n")
    with pytest.raises(InputError, match=r"not certain|does not look like") as raised:
        typed("pack", path, "--to", tmp_path / "packed")
    assert "--column device_id=" in raised.value.mend
    columns = [
        word
        for pair in ("device_id=wagen", "at=wann", "longitude_deg=a", "latitude_deg=b")
        for word in ("--column", pair)
    ]
    with pytest.raises(InputError, match="no time zone") as raised:
        typed("pack", path, "--to", tmp_path / "packed", *columns)
    assert "--time-zone" in raised.value.mend
    typed("pack", path, "--to", tmp_path / "packed", *columns, "--time-zone", "Europe/London")
    with pytest.raises(SettingsError, match="not understood"):
        typed("pack", path, "--to", tmp_path / "other", "--column", "wagen=device_id")
    typed("pack", tmp_path / "od*.csv", "--to", tmp_path / "by pattern", *columns,
          "--time-zone", "UTC")  # fmt: skip
    with pytest.raises(InputError, match="No file is called"):
        typed("pack", tmp_path / "no*.csv", "--to", tmp_path / "none", *columns)
    with pytest.raises(OutputError, match="is there already"):
        typed("pack", path, "--to", tmp_path / "packed", *columns, "--time-zone", "UTC")
    assert not list(tmp_path.glob(".packed*"))


def test_wrong_words_are_explained(tmp_path: Path, export: Path, outlines: Path) -> None:
    def visits(*words: object) -> str:
        return typed("visits", export, "--hotspots", outlines, *RULE, *words)

    with pytest.raises(SettingsError, match='no path "fast"'):
        visits("--path", "fast")
    with pytest.raises(SettingsError, match='no engine "dask"'):
        visits("--engine", "dask")
    with pytest.raises(SettingsError, match="no default"):
        visits("--path", "crossings")
    with pytest.raises(SettingsError, match="this machine only"):
        visits("--path", "crossings", "--engine", "spark://host:7077")
    with pytest.raises(SettingsError, match='no path "order-free"'):
        visits("--path", "order-free")
    with pytest.raises(OutputError, match="is a folder"):
        visits("--to", tmp_path)
    with pytest.raises(OutputError, match=r"pings.csv is a file, so it holds no visits.parquet"):
        visits("--to", export / "deep" / "visits.parquet")
    with pytest.raises(OutputError, match="cannot be written: File name too long") as raised:
        visits("--to", tmp_path / ("v" * 300))
    assert "in a folder in which you may write" in raised.value.mend
    for words in (("--longest-gap-s", 86_401), ("--longest-gap-s", "inf"), ("--longest-gap-s", 0),
                  ("--shortest-dwell-s", "nan"), ("--shortest-dwell-s", 1e6)):  # fmt: skip
        with pytest.raises(SettingsError, match="at most 86400 seconds"):
            visits(*words)
    with pytest.raises(InputError, match=r"no such file|cannot be read"):
        typed("visits", tmp_path / "none.csv", "--hotspots", outlines, *RULE)
    with pytest.raises(InputError, match="no column name"):
        visits("--hotspot-id", "name")
    assert CliRunner().invoke(app, ["visits", str(export)]).exit_code == 2


def test_outlines_with_days_and_outlines_abroad(tmp_path: Path, export: Path) -> None:
    never = outlines_at(tmp_path / "never.geojson", -1.13, 52.63, valid_from="2022-01-01")
    found = json.loads(typed("visits", export, "--hotspots", never, *RULE, "--json"))
    assert found["visits"] == 0
    rows = pl.read_csv(export).drop_nulls()
    moved = rows.with_columns(pl.col("longitude") - 121.0, pl.col("latitude") - 15.0)
    abroad = tmp_path / "abroad.csv"
    moved.write_csv(abroad)
    places = outlines_at(tmp_path / "abroad.geojson", -122.13, 37.63)
    columns = [
        word
        for pair in (
            "device_id=device_id", "at=timestamp", "longitude_deg=longitude",
            "latitude_deg=latitude",
        )
        for word in ("--column", pair)
    ]  # fmt: skip
    found = json.loads(typed("visits", abroad, "--hotspots", places, *RULE, *columns, "--json"))
    assert found["visits"] > 10
    assert "outside Great Britain" in " ".join(found["remarks"])


def test_crossings_take_their_rules_from_a_file(
    tmp_path: Path, export: Path, outlines: Path
) -> None:
    rules: dict[str, Any] = {
        "exit_after_s": 30, "fastest_m_s": 70, "foot_fastest_m_s": 2.5,
        "default_accuracy_m": '"none"', "worst_accuracy_m": 200, "smallest_presence": 0.5,
        "usual_stay_s": '"none"', "error_lasts_s": 30, "still_after_s": 3600, "still_within_m": 30,
    }  # fmt: skip
    path = tmp_path / "rules.toml"
    path.write_text("\n".join(f"{name} = {value}" for name, value in rules.items()))
    words = ("--hotspots", outlines, *RULE, "--path", "crossings", "--rules", path)
    said = typed("visits", export, *words)
    assert "path crossings: Asked for" in said
    path.write_text("exit_after_s = 30")
    with pytest.raises(SettingsError, match="lacks default_accuracy_m"):
        typed("visits", export, *words)


def test_the_mapping_of_a_study(tmp_path: Path, export: Path) -> None:
    study = tmp_path / "study"
    (study / "data").mkdir(parents=True)
    export.rename(study / "data" / "pings.csv")
    (study / "study.toml").write_text(
        'schema = 1\n[study]\nname = "S"\nforce = "F"\nstart = 2021-01-01\n'
        'cut_off = 2021-12-31\n[data.radios]\ncontract = "ping"\nfiles = ["pings.csv"]\n'
        '[data.radios.columns]\ndevice_id = "device_id"\nat = "timestamp"\n'
        'longitude_deg = "longitude"\nlatitude_deg = "latitude"\n'
    )
    words = ("pack", "--to", tmp_path / "packed", "--study", study)
    with pytest.raises(SettingsError, match="go together"):
        typed(*words)
    with pytest.raises(SettingsError, match="no section"):
        typed(*words, "--feed", "crimes")
    facts = json.loads(typed(*words, "--feed", "radios", "--json"))
    assert facts["rows_packed"] == 4_000
    assert [one["path"] for one in facts["sources"]] == ["data/pings.csv"]


def test_how_long_it_still_takes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(waiting.time, "monotonic", lambda: now[0])
    with waiting.estimated("bytes") as progress:
        progress("packing", 200, 1_000)  # what an earlier run did
        now[0] += 20
        progress("packing", 400, 1_000)
        now[0] += 1
        progress("packing", 410, 1_000)
    assert capsys.readouterr().err == "packing: 40%, about 60 s left\n"
    assert [waiting.words(s) for s in (0.2, 89, 90, 5400)] == ["1 s", "89 s", "2 min", "1.5 h"]


REAL: dict[str, tuple[str, tuple[str, ...], float]] = {
    "police vehicles of Seattle": (
        "seattle_police_alpr_positions_2021-10.csv.gz",
        (
            "--column", "device_id=device", "--column", "at=time_local",
            "--column", "longitude_deg=lon", "--column", "latitude_deg=lat",
            "--time-zone", "America/Los_Angeles",
        ),
        120.0,
    ),
    "taxis of San Francisco": (
        "new_*.txt",
        (
            "--column", "device_id=file name", "--column", "at=column 4",
            "--column", "longitude_deg=column 2", "--column", "latitude_deg=column 1",
            "--separator", "blanks", "--time-format", "epoch_s",
        ),
        300.0,
    ),
    "walkers of Beijing": (
        "demodata_geolife.csv",
        (
            "--column", "device_id=tracker", "--column", "at=t",
            "--column", "longitude_deg=X", "--column", "latitude_deg=Y",
            "--time-format", "%Y-%m-%d %H:%M:%S%#z",
        ),
        90.0,
    ),
}  # fmt: skip


def busiest(pings: pl.DataFrame, path: Path) -> dict[str, shapely.Polygon]:
    """Hexagons of about 200 m around the places with most positions, in 1e-7 degree."""
    cells = (
        pings.group_by(
            (pl.col("x") // 20_000).alias("column"), (pl.col("y") // 20_000).alias("row")
        )
        .agg(pl.len(), pl.col("x").median(), pl.col("y").median())
        .sort(["len", "column", "row"], descending=[True, False, False])
        .head(8)
    )
    turns = np.linspace(0, 2 * np.pi, 7)[:-1] + 0.3
    outlines = {
        f"H{n}": shapely.Polygon(
            [(round(x + 12_000 * np.cos(t)), round(y + 9_000 * np.sin(t))) for t in turns]
        )
        for n, (x, y) in enumerate(cells.select("x", "y").iter_rows())
    }
    features = [
        {
            "type": "Feature",
            "properties": {"hotspot_id": name},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x / 1e7, y / 1e7] for x, y in outline.exterior.coords]],
            },
        }
        for name, outline in outlines.items()
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return outlines


def one_at_a_time(
    pings: pl.DataFrame, outlines: dict[str, shapely.Polygon], gap_s: float
) -> list[tuple[str, str, int, int]]:
    """Stays by the rule as it is written: one outline and one position at a time."""
    found = []
    for name, outline in outlines.items():
        hits = shapely.intersects_xy(outline, pings["x"].to_numpy(), pings["y"].to_numpy())
        inside = pings.filter(pl.Series(hits)).sort("device_id", "at")
        stay: tuple[str, str, int, int] | None = None
        for device, at in inside.select("device_id", "at").iter_rows():
            if stay is not None and stay[0] == device and at - stay[3] <= gap_s * 1e6:
                stay = (*stay[:3], at)
                continue
            found += [stay] if stay is not None else []
            stay = (device, name, at, at)
        found += [stay] if stay is not None else []
    return sorted(found)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", list(REAL))
def test_real_tracks_through_the_command(shared_data: Path, tmp_path: Path, name: str) -> None:
    pattern, options, gap_s = REAL[name]
    folder = tmp_path / "packed"
    typed("pack", shared_data / "pings" / pattern, "--to", folder, *options)
    pings = pl.concat(
        pl.DataFrame(
            {
                "device_id": [batch.device_ids[code] for code in batch.device],
                "at": batch.at * (1_000_000 // batch.ticks_per_second),
                "x": batch.longitude_e7,
                "y": batch.latitude_e7,
            }
        )
        for source in packed.open_packed(folder).sources
        for batch in packed.read(source)
    )
    outlines = busiest(pings, tmp_path / "places.geojson")
    expected = one_at_a_time(pings, outlines, gap_s)
    assert len(expected) > 25
    for place, source in (("packed", (folder,)), ("plain", (shared_data / "pings" / pattern,))):
        target = tmp_path / f"{place}.parquet"
        typed(
            "visits", *source, "--hotspots", tmp_path / "places.geojson", "--to", target,
            "--longest-gap-s", gap_s, "--shortest-dwell-s", 0,
            *(options if place == "plain" else ()),
        )  # fmt: skip
        made = pl.read_parquet(target).select(
            "device_id",
            "hotspot_id",
            pl.col("arrived_at").dt.epoch("us"),
            pl.col("left_at").dt.epoch("us"),
        )
        assert sorted(made.iter_rows()) == expected
