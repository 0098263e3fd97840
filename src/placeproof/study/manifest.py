"""What makes a run repeatable: inputs with hashes, code, plan, seed, definitions."""

from importlib import metadata
from pathlib import Path

from placeproof import __version__
from placeproof.definitions import outcomes
from placeproof.study.store import sha256_of
from placeproof.study.work import Work

COMPUTING = ("numpy", "scipy", "polars", "shapely", "pyproj", "esda", "pyfixest")
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
        "lock": {"state": work.lock.state, "locked_on": work.lock.locked_on},
        "stamp": work.lock.stamp,
        "definitions": {
            name: known[name].edition_tag for name in work.plan.outcome_ids() if name in known
        },
        "night_time_economy": work.plan.nte,
        "inputs": work.inputs.result.receipts.to_dicts(),
        "texts": {name: sha256_of(text) for name, text in texts(work).items()},
        "authors": list(facts.authors),
    }
    return content | {"run": sha256_of(content)[:12]}


def texts(work: Work) -> dict[str, str]:
    """
    Read the authors' own paragraphs.

    Parameters
    ----------
    work : Work
        The run.

    Returns
    -------
    dict
        Section to Markdown, for every file `text/SECTION.md`, sorted.
    """
    folder = work.study.folder / "text"
    return {
        path.stem: path.read_text(encoding="utf-8-sig")
        for path in sorted(folder.glob("*.md"))
        if path.stem != "README"
    }
