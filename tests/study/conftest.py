"""A study in a folder of its own: small, invented, quick to run."""

import json
from pathlib import Path

import pytest

from placeproof.study.template import plan_template

AREA = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "Inventshire"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [[-1.2, 52.6], [-1.1, 52.6], [-1.1, 52.66], [-1.2, 52.66], [-1.2, 52.6]]
                ],
            },
        }
    ],
}

STUDY = """
schema = 1
[study]
name = "A small invented study"
force = "Inventshire Police"
start = 2020-01-01
cut_off = 2021-12-31
area = "area.geojson"

[data.police_uk]
format = "police-uk"
files = ["archive"]
"""


def plan(**changes: str) -> str:
    """The template's plan for public data of 2020 and 2021, with some values changed."""
    values = {
        "exploratory": "true",
        "history_from": "2020-01-01",
        "history_to": "2020-08-31",
        "selection_from": "2020-09-01",
        "selection_to": "2021-02-28",
        "analysis_from": "2020-01-01",
        "analysis_to": "2021-12-31",
        "primary": '"puk-violence-and-sexual-offences"',
        "headline_per_question": '{ RQ1 = "puk-robbery", RQ2 = "puk-all-crime", RQ3 = "puk-asb" }',
        "also": "[]",
        "negative_controls": '["puk-burglary"]',
        "derive": "true",
        "derive_on": '"puk-violence-and-sexual-offences"',
        "n": "5",
        "period": '"month"',
        "permutations": "49",
    } | changes
    lines = []
    for line in plan_template().splitlines():
        key = line.split(" = ")[0]
        lines.append(f"{key} = {values[key]}" if key in values else line)
    text = "\n".join(lines)
    return text.replace(
        "# patrols_start =", f"patrols_start = {changes.get('start', '2021-03-15')}"
    )


def write_archive(folder: Path, *, seed: int = 1, places: int = 40, months: int = 24) -> None:
    """Monthly files in the layout of data.police.uk, with a few busy points; all invented."""
    import numpy as np

    rng = np.random.default_rng(seed)
    steps = np.arange(places)
    points = np.column_stack([-1.185 + 0.011 * (steps % 7), 52.607 + 0.008 * (steps // 7)])
    points = np.repeat(points, 4, axis=0) + rng.normal(0, 0.0004, (4 * places, 2))
    rates = np.repeat(np.where(steps % 5 == 0, 3.0, 1.0), 4)
    kinds = ["Violence and sexual offences", "Robbery", "Anti-social behaviour", "Burglary"]
    header = (
        "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
        "Crime type,Last outcome category,Context"
    )
    for index in range(months):
        month = f"{2020 + index // 12}-{index % 12 + 1:02d}"
        lines = [header]
        for place, (lon, lat) in enumerate(points):
            for kind in kinds:
                for _ in range(rng.poisson(rates[place])):
                    name = "" if kind.startswith("Anti") else f"{len(lines):06d}{index:058d}"
                    lines.append(
                        f"{name},{month},Inventshire Police,Inventshire Police,{lon:.6f},{lat:.6f},"
                        f"On or near Invented Street {place},E0100000{place % 9},Invented,{kind},,"
                    )
        path = folder / month / f"{month}-inventshire-street.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def make_study(folder: Path, **changes: str) -> Path:
    """A whole small study in `folder`."""
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "area.geojson").write_text(json.dumps(AREA), encoding="utf-8")
    write_archive(folder / "data" / "archive")
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    (folder / "plan.toml").write_text(plan(**changes), encoding="utf-8")
    return folder


def quiet(_doing: str, _done: int, _of: int) -> None:
    """Progress that nobody watches."""


@pytest.fixture(scope="session")
def small_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One small study for the tests that only read it."""
    return make_study(tmp_path_factory.mktemp("studies") / "small")


@pytest.fixture(scope="session")
def northmere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One small invented force for the tests that only read it; a test that writes copies it."""
    from placeproof.rehearsal import write_force

    folder = tmp_path_factory.mktemp("studies") / "northmere"
    return write_force(folder, seed=1, size="small", effect="default")


def shortened(folder: Path) -> Path:
    """Ask less of a rehearsal's plan, so that a run of it is quick: months, four outcomes."""
    path = folder / "plan.toml"
    short = {
        "also": "[]",
        "period": '"month"',
        "permutations": "0",
        "event_study_steps": '["quarter"]',
    }
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        key = line.split(" = ")[0]
        lines.append(f"{key} = {short[key]}" if key in short else line)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
