"""Fourteen planted faults in a force export: each is named with file, row, column and mend."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
import shapely

from placeproof.files import FeedSpec, Surroundings, read

HEADER = "Crime Number;From;To;Easting;Northing;Offence;Age;Status"
SURROUNDINGS = Surroundings(
    shapely.to_wkb(shapely.box(430_000, 280_000, 490_000, 350_000)),
    date(2020, 1, 1),
    date(2022, 12, 31),
)
COLUMNS = {
    "crime_id": "Crime Number",
    "occurred_from": "From",
    "occurred_to": "To",
    "easting_m": "Easting",
    "northing_m": "Northing",
    "offence_code": "Offence",
    "victim_age": "Age",
    "status": "Status",
}
CODES = (
    "offence_code,category,violence,injury,robbery\n"
    "8N,Assault with injury,true,true,false\n34B,Robbery,false,,true\n"
)


def row(number: int, **changed: str) -> str:
    cells = {
        "id": f"22/{number:05d}",
        "from": f"{1 + number % 28:02d}/03/2021 21:{number % 60:02d}",
        "to": f"{1 + number % 28:02d}/03/2021 22:{number % 60:02d}",
        "east": str(450_000 + 7 * number),
        "north": str(300_000 + 11 * number),
        "offence": "8N" if number % 3 else "34B",
        "age": str(18 + number % 50),
        "status": "Live",
    }
    return ";".join({**cells, **changed}.values())


def planted() -> dict[str, tuple[int, str, bytes]]:
    """Fault to (row, column, the line)."""
    return {
        "wrong-date": (12, "From", row(12, **{"from": "31/02/2021 21:00"}).encode()),
        "swapped-coordinates": (14, "Easting", row(14, east="300154", north="450098").encode()),
        "duplicate-id": (16, "Crime Number", row(16, id="22/00002").encode()),
        "unknown-code": (18, "Offence", row(18, offence="99X").encode()),
        "mixed-encoding": (20, "Status", row(20, status="Live caf\xe9").encode("cp1252")),
        "future-date": (
            22,
            "From",
            row(22, **{"from": "01/02/2031 10:00", "to": "02/02/2031 10:00"}).encode(),
        ),
        "end-before-start": (24, "To", row(24, to="01/01/2021 10:00").encode()),
        "blank-key": (26, "Crime Number", row(26, id="").encode()),
        "out-of-force": (28, "Easting", row(28, east="530000", north="180000").encode()),
        "text-in-number": (30, "Age", row(30, age="about 40").encode()),
        "repeated-header": (32, "whole row", HEADER.encode()),
        "wrong-crs": (34, "Easting", row(34, east="-1.13", north="52.63").encode()),
        "default-geocode": (36, "Easting", row(36, east="458800", north="304500").encode()),
        "truncated-line": (82, "whole row", b"22/00082;20/03/2021 21:2"),
    }


@pytest.fixture
def spec(tmp_path: Path) -> FeedSpec:
    lines = [HEADER.encode()] + [row(number).encode() for number in range(2, 82)]
    lines[5] = row(6, status="Fête".replace("Fête", "Live")).encode()
    for at, _, line in planted().values():
        if at <= 81:
            lines[at - 1] = line
    lines[39] = row(40, status="Été").encode()
    text = b"\n".join([*lines, planted()["truncated-line"][2]])
    path = tmp_path / "crimes.csv"
    path.write_bytes(text)
    codes, defaults = tmp_path / "codes.csv", tmp_path / "defaults.csv"
    codes.write_text(CODES, encoding="utf-8")
    defaults.write_text(
        "name,easting_m,northing_m,radius_m\nMansfield House,458810,304500,50\n", encoding="utf-8"
    )
    return FeedSpec(
        name="crimes",
        contract="crime",
        format="auto",
        paths=(path,),
        columns=COLUMNS,
        values={"status": {"Live": "recorded", "Été": "recorded", "No-crimed": "cancelled"}},
        time_format="%d/%m/%Y %H:%M",
        time_zone="Europe/London",
        crs="EPSG:27700",
        offences=codes,
        default_locations=defaults,
        root=tmp_path,
    )


def test_every_planted_fault_is_named_once(spec: FeedSpec) -> None:
    result = read(spec, SURROUNDINGS)
    named = pl.concat([result.quarantine, result.flagged])
    found = {(line["rule"], line["source_row"], line["column"]) for line in named.to_dicts()}
    expected = {(rule, at, column) for rule, (at, column, _) in planted().items()}
    # A date in the future has an end in the future too.
    assert found == expected | {("future-date", 22, "To")}
    assert (named["path"] == "crimes.csv").all()
    assert (named["mend"] != "").all()
    assert (named["expected"] != "").all()
    assert set(planted()) <= set(result.notices["code"])


def test_rows_in_are_rows_kept_or_quarantined(spec: FeedSpec) -> None:
    result = read(spec, SURROUNDINGS)
    receipt = result.receipts.filter(pl.col("path") == "crimes.csv").row(0, named=True)
    kept_with_flag = {"unknown-code", "out-of-force", "default-geocode"}
    assert receipt["rows_in"] == 81
    assert receipt["rows_quarantined"] == len(planted()) - len(kept_with_flag)
    assert receipt["rows_kept"] == result.tables["crime"].height
    assert receipt["rows_in"] == receipt["rows_kept"] + receipt["rows_quarantined"]
    assert set(result.flagged["rule"]) == kept_with_flag
    rows = result.tables["crime"]["source_row"].to_list()
    assert len(set(rows)) == len(rows)
    assert not set(rows) & set(result.quarantine["source_row"])


def test_no_personal_value_is_shown(spec: FeedSpec) -> None:
    result = read(spec, SURROUNDINGS)
    shown = "\n".join(result.notices["message"]) + "\n".join(result.quarantine["found"])
    assert "about 40" not in shown
    assert "22/000" not in shown


def test_kept_rows_say_how_far_they_can_be_trusted(spec: FeedSpec) -> None:
    crime = read(spec, SURROUNDINGS).tables["crime"]
    by_row = {line["source_row"]: line for line in crime.to_dicts()}
    assert by_row[36]["location_quality"] == "default"
    assert by_row[28]["location_quality"] == "exact"
    assert by_row[18]["violence"] is None
    assert by_row[3]["robbery"] is True
    assert by_row[3]["injury"] is None
    assert by_row[4]["category"] == "Assault with injury"
    # 4 March is before the clocks change: local time is UTC.
    assert f"{by_row[3]['occurred_from']:%Y-%m-%d %H:%M %Z}" == "2021-03-04 21:03 UTC"


def test_reading_twice_gives_the_same(spec: FeedSpec) -> None:
    one, two = read(spec, SURROUNDINGS), read(spec, SURROUNDINGS)
    assert one.tables["crime"].equals(two.tables["crime"])
    for part in ("quarantine", "receipts", "notices", "flagged"):
        assert getattr(one, part).equals(getattr(two, part))
