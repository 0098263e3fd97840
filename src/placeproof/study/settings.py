"""What `study.toml` says: who, where, which files and how their columns map."""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from placeproof.errors import SettingsError
from placeproof.files.feed import FeedSpec
from placeproof.study.keys import FEED_KEYS, STUDY_KEYS
from placeproof.study.settings_form import raise_if_any, read_section, read_toml
from placeproof.tables import TABLES

_FEED_NAME = re.compile(r"\w[\w -]{0,59}")


@dataclass(frozen=True)
class LsoaFile:
    """Where the outlines of the LSOAs stand."""

    path: Path
    code: str
    name: str | None
    crs: str | None


@dataclass(frozen=True)
class HarmFile:
    """Where a harm index stands that the user supplies, and which edition it is."""

    path: Path
    edition: str
    code: str
    weight: str
    unit: str


@dataclass(frozen=True)
class CostFacts:
    """What an hour and an offence cost by figures that the user supplies, each in an edition."""

    hour_gbp: float | None
    hour_edition: str
    unit_costs: Path | None
    edition: str
    outcome: str
    gbp: str


@dataclass(frozen=True)
class Study:
    """One study: its folder, its facts, its feeds."""

    folder: Path
    name: str
    force: str
    authors: tuple[str, ...]
    sponsor: str
    contact: str
    start: date
    cut_off: date
    area: Path | None
    area_crs: str | None
    outcomes_public: bool
    lsoa: LsoaFile | None
    harm: tuple[HarmFile, ...]
    """Editions of a harm index, one result for each."""
    costs: CostFacts
    premises: Path | None
    streets: Path | None
    streets_crs: str | None
    gazetteer: Path | None
    feeds: tuple[FeedSpec, ...]
    empty_patterns: tuple[tuple[str, str], ...]
    """Feed and pattern wherever a pattern found no file: that feed is not supplied."""


def read_study(folder: Path) -> Study:
    """
    Read `study.toml`.

    Parameters
    ----------
    folder : Path
        The study's folder.

    Returns
    -------
    Study
        With each pattern of files resolved, sorted by name. A pattern that finds nothing is kept
        in `empty_patterns`: a missing feed degrades its questions and stops nothing.

    Raises
    ------
    SettingsError
        Naming every fault of the file at once.
    """
    found = read_toml(folder / "study.toml")
    problems: list[str] = []
    _unknown_sections(found, problems)
    read_section("study.toml", {"schema": found.get("schema")}, STUDY_KEYS[""], problems)
    facts = read_section(
        "study.toml, [study]", found.get("study", {}), STUDY_KEYS["study"], problems
    )
    lsoa = read_section("study.toml, [lsoa]", found.get("lsoa", {}), STUDY_KEYS["lsoa"], problems)
    feeds: list[FeedSpec] = []
    empty: list[tuple[str, str]] = []
    data = found.get("data", {})
    if not isinstance(data, dict) or not data:
        problems.append("study.toml names no files: it needs at least one section [data.NAME]")
        data = {}
    for name, section in data.items():
        if not _FEED_NAME.fullmatch(str(name)):
            problems.append(
                f"study.toml, [data.{name}]: the name of a feed holds letters, digits, blanks, "
                "_ and - only, because files are named after it"
            )
            continue
        values = read_section(f"study.toml, [data.{name}]", section, FEED_KEYS, problems)
        spec = _feed(folder, str(name), values, problems, empty)
        if spec is not None:
            feeds.append(spec)
    start, cut_off = facts.get("start"), facts.get("cut_off")
    if isinstance(start, date) and isinstance(cut_off, date) and start >= cut_off:
        problems.append(f"study.toml, [study]: start {start} is not before cut_off {cut_off}")
    area = _optional_file(folder, facts.get("area"), 'study.toml, [study], key "area"', problems)
    lsoa_path = _optional_file(folder, lsoa.get("file"), 'study.toml, [lsoa], key "file"', problems)
    if lsoa_path is not None and not lsoa.get("code"):
        problems.append('study.toml, [lsoa] lacks the key "code": its column of codes')
    harm, costs, premises, streets, gazetteer = (
        read_section(f"study.toml, [{name}]", found.get(name, {}), STUDY_KEYS[name], problems)
        for name in ("harm", "costs", "premises", "streets", "gazetteer")
    )
    harm_files = _harm_files(folder, harm, problems)
    cost_facts = _cost_facts(folder, costs, problems)
    ground = [
        _optional_file(folder, part.get("file"), f'study.toml, [{name}], key "file"', problems)
        for name, part in (
            ("premises", premises), ("streets", streets), ("gazetteer", gazetteer),
        )
    ]  # fmt: skip
    raise_if_any(problems)
    return Study(
        folder=folder,
        name=facts["name"],
        force=facts["force"],
        authors=tuple(facts["authors"]),
        sponsor=facts["sponsor"],
        contact=facts["contact"],
        start=facts["start"],
        cut_off=facts["cut_off"],
        area=area,
        area_crs=facts["area_crs"],
        outcomes_public=facts["outcomes_public"],
        lsoa=LsoaFile(lsoa_path, lsoa["code"], lsoa["name"], lsoa["crs"]) if lsoa_path else None,
        harm=harm_files,
        costs=cost_facts,
        premises=ground[0],
        streets=ground[1],
        streets_crs=streets["crs"],
        gazetteer=ground[2],
        feeds=tuple(feeds),
        empty_patterns=tuple(empty),
    )


def _harm_files(folder: Path, harm: dict[str, Any], problems: list[str]) -> tuple[HarmFile, ...]:
    where = "study.toml, [harm]"
    path = _optional_file(folder, harm.get("file"), f'{where}, key "file"', problems)
    other = _optional_file(folder, harm.get("other_file"), f'{where}, key "other_file"', problems)
    if path is not None and not harm.get("edition"):
        problems.append(f'{where} lacks the key "edition": two editions, two results')
    further = harm.get("other_edition")
    if other is not None and not further:
        problems.append(f'{where} lacks the key "other_edition": two editions, two results')
    if further and further == harm.get("edition"):
        problems.append(f'{where}: "edition" and "other_edition" are the same words')
    if path is None:
        return ()
    first = HarmFile(path, harm["edition"], harm["code"], harm["weight"], harm["unit"])
    if not further:
        return (first,)
    weight = harm["other_weight"] or first.weight
    return (first, HarmFile(other or path, further, first.code, weight, first.unit))


def _cost_facts(folder: Path, costs: dict[str, Any], problems: list[str]) -> CostFacts:
    where = "study.toml, [costs]"
    path = _optional_file(folder, costs.get("file"), f'{where}, key "file"', problems)
    if path is not None and not costs.get("edition"):
        problems.append(f'{where} lacks the key "edition": whose unit costs, and of which year')
    if costs.get("hour_gbp") is not None and not costs.get("hour_edition"):
        problems.append(f'{where} lacks the key "hour_edition": whose rate, and of which year')
    return CostFacts(
        hour_gbp=costs.get("hour_gbp"),
        hour_edition=costs.get("hour_edition") or "",
        unit_costs=path,
        edition=costs.get("edition") or "",
        outcome=costs.get("outcome") or "",
        gbp=costs.get("gbp") or "",
    )


def _unknown_sections(found: dict[str, Any], problems: list[str]) -> None:
    for name in found:
        if name not in {"schema", "data", *STUDY_KEYS}:
            problems.append(f"study.toml has no section [{name}]")


def _feed(
    folder: Path,
    name: str,
    values: dict[str, Any],
    problems: list[str],
    empty: list[tuple[str, str]],
) -> FeedSpec | None:
    where = f"study.toml, [data.{name}]"
    contract = values.get("contract")
    if values.get("format") == "police-uk":
        contract = "police-uk"
    elif contract not in TABLES:
        problems.append(
            f'{where}, key "contract": found {contract!r}, expected format = "police-uk" or one of '
            + ", ".join(sorted(TABLES))
        )
        return None
    patterns = values.get("files")
    if not isinstance(patterns, list):
        return None
    paths: list[Path] = []
    for pattern in patterns:
        matched = _matches(folder / "data", str(pattern), where, problems)
        if not matched:
            empty.append((name, str(pattern)))
        paths.extend(matched)

    def beside(key: str) -> Path | None:
        return _optional_file(folder, values.get(key), f'{where}, key "{key}"', problems)

    return FeedSpec(
        name=name,
        contract=str(contract),
        format=values.get("format") or "auto",
        paths=tuple(dict.fromkeys(paths)),
        columns=dict(values.get("columns") or {}),
        values={k: dict(v) for k, v in (values.get("values") or {}).items() if isinstance(v, dict)},
        constants=dict(values.get("constants") or {}),
        time_format=values.get("time_format"),
        date_format=values.get("date_format"),
        time_zone=values.get("time_zone"),
        crs=values.get("crs"),
        encoding=values.get("encoding"),
        separator=values.get("separator"),
        sheet=values.get("sheet"),
        extract_date=values.get("extract_date"),
        offences=beside("offences"),
        default_locations=beside("default_locations"),
        corrections=tuple(
            folder / "corrections" / str(file) for file in (values.get("corrections") or ())
        ),
        root=folder,
    )


def _matches(data: Path, pattern: str, where: str, problems: list[str]) -> list[Path]:
    if Path(pattern).is_absolute():
        path = Path(pattern)
        return [path] if path.exists() else []
    try:
        return sorted(data.glob(pattern), key=lambda path: path.as_posix())
    except (ValueError, NotImplementedError) as error:
        problems.append(f'{where}, key "files": the pattern {pattern!r} cannot be used: {error}')
        return []


def _optional_file(folder: Path, name: str | None, where: str, problems: list[str]) -> Path | None:
    if not name:
        return None
    path = folder / "data" / name
    if not path.exists():
        problems.append(f"{where}: the file {name} is not in {folder.name}/data")
        return None
    return path


def relative_to_study(study: Study, path: Path) -> str:
    """
    Name a file as the study's people know it.

    Parameters
    ----------
    study : Study
        The study.
    path : Path
        Any path.

    Returns
    -------
    str
        The path below the study's folder with forward slashes, or its last part where it lies
        elsewhere: no path of a machine gets into a result.
    """
    try:
        return path.resolve().relative_to(study.folder.resolve()).as_posix()
    except ValueError:
        return path.name


def find_folder(folder: Path) -> Path:
    """
    Make sure that a folder is a study.

    Parameters
    ----------
    folder : Path
        A folder, or a `study.toml` in it.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    SettingsError
        If no `study.toml` stands there.
    """
    folder = folder.parent if folder.name == "study.toml" else folder
    if not (folder / "study.toml").is_file():
        raise SettingsError(
            f"{folder} is not a study: it holds no study.toml.",
            mend="make one with: placeproof new FOLDER, or invent one: placeproof rehearse FOLDER",
        )
    return folder
