"""What makes a run repeatable: inputs with hashes, code, plan, seed, definitions."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from placeproof import __version__
from placeproof.definitions import outcomes
from placeproof.errors import SettingsError
from placeproof.study.certificate_file import certificate_sha256
from placeproof.study.deviations import touched_numbers
from placeproof.study.settings import Study, relative_to_study
from placeproof.study.store import sha256_of
from placeproof.study.work import Work

COMPUTING = ("numpy", "numba", "scipy", "polars", "shapely", "pyproj", "esda", "pyfixest")
"""Libraries whose version can move a number."""


def code_sha256() -> str:
    """
    Hash the code of the package, so that two runs of one version can be told apart.

    Returns
    -------
    str
        SHA-256 over every file of the package but compiled ones, by name and content.
    """
    folder = Path(__file__).resolve().parents[1]
    return sha256_of(
        {
            path.relative_to(folder).as_posix(): path.read_bytes().replace(b"\r\n", b"\n").hex()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix in {".py", ".toml", ".css", ".js", ".typ"}
        }
    )


def settings_sha256(study: Study) -> str:
    """
    Hash how the files of a study are to be read, and the files that stand beside its feeds.

    Parameters
    ----------
    study : Study
        The study.

    Returns
    -------
    str
        SHA-256 over mapped columns, values, formats and reference systems, and over the content of
        the outlines, offence codes, default locations and corrections. The feeds' own files and
        the cut-off stand elsewhere in the manifest.
    """
    told = asdict(study)
    for name in ("folder", "name", "force", "authors", "cut_off", "empty_patterns"):
        del told[name]
    for feed in told["feeds"]:
        del feed["paths"], feed["root"]
    beside = [
        study.area,
        study.premises,
        study.streets,
        study.gazetteer,
        study.costs.unit_costs,
        study.lsoa.path if study.lsoa else None,
        *(part.path for part in study.harm),
    ]
    for spec in study.feeds:
        beside += [spec.offences, spec.default_locations, *spec.corrections]
    return sha256_of([_plain(study, told), _hashes(study, beside)])


def _plain(study: Study, value: object) -> object:
    """The value with every path as the study's people know it."""
    if isinstance(value, Path):
        return relative_to_study(study, value)
    if isinstance(value, Mapping):
        return {str(key): _plain(study, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(study, item) for item in value]
    return value


def _hashes(study: Study, paths: list[Path | None]) -> list[list[str]]:
    """Each file's name and hash, with the parts of a format that is made of several files."""
    files = {
        part
        for path in paths
        if path is not None
        for part in path.parent.glob("*")
        if part.stem == path.stem and part.is_file()
    }
    return [
        [relative_to_study(study, path), hashlib.sha256(path.read_bytes()).hexdigest()]
        for path in sorted(files)
    ]


def manifest(work: Work, *, until: str) -> dict[str, object]:
    """
    Record what went into a run.

    Parameters
    ----------
    work : Work
        The run.
    until : str
        The last step that was done.

    Returns
    -------
    dict
        `run` is a hash of all the rest, so that the same inputs, plan, seed and code make the same
        run. No clock and no path of a machine stands in it.
    """
    known = outcomes()
    facts = work.study
    content: dict[str, object] = {
        "schema": 1,
        "study": {"name": facts.name, "force": facts.force, "cut_off": facts.cut_off.isoformat()},
        "until": until,
        "code_version": __version__,
        "code_sha256": code_sha256(),
        "libraries": {name: metadata.version(name) for name in COMPUTING},
        "seed": work.plan.seed,
        "plan_sha256": work.lock.sha256,
        "certificate_sha256": certificate_sha256(facts.folder),
        "settings_sha256": settings_sha256(work.study),
        "lock": {
            "state": work.lock.state,
            "locked_on": work.lock.locked_on,
            "mappings": work.lock.mappings,
            "deviations": [
                each.as_dict() | {"numbers": touched_numbers(work.tables["finding"], each)}
                for each in work.lock.deviations
                if "finding" in work.tables
            ],
        },
        "stamp": work.lock.stamp,
        "definitions": {
            name: known[name].edition_tag for name in work.plan.outcome_ids() if name in known
        },
        "night_time_economy": work.plan.nte,
        "inputs": work.inputs.result.receipts.to_dicts(),
        "positions": work.patrol_facts,
        "texts": {name: sha256_of(text) for name, text in texts(work.study.folder).items()},
        "authors": list(facts.authors),
    }
    return content | {"run": sha256_of(content)[:12]}


def texts(folder: Path) -> dict[str, str]:
    """
    Read the authors' own paragraphs.

    Parameters
    ----------
    folder : Path
        The study's folder.

    Returns
    -------
    dict
        Section to Markdown, for every file `text/SECTION.md`, sorted.

    Raises
    ------
    SettingsError
        If one of them is not UTF-8.
    """
    found = {}
    for path in sorted((folder / "text").glob("*.md")):
        if path.stem == "README" or not path.is_file():
            continue
        try:
            found[path.stem] = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise SettingsError(
                f"text/{path.name}: byte {error.start + 1} is not UTF-8.",
                mend="save the file as UTF-8",
            ) from None
    return found
