"""The recovery certificate of a study, as it is kept, and whether it still holds."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from placeproof.effects.certificate.preparing import Design, design
from placeproof.errors import InputError
from placeproof.study.estimating import for_estimation
from placeproof.study.placing import masked_from
from placeproof.study.store import refusals_explained
from placeproof.study.work import Work

CERTIFICATE = Path("results") / "certificate.json"
SCHEMA = 1

_JUDGED = (
    "certificate/*.py",
    "effect.py",
    "fitting.py",
    "grid.py",
    "imputation.py",
    "inference.py",
    "trend.py",
    "two_way.py",
    "weighted_displacement.py",
)


def estimators_sha256() -> str:
    """
    Hash the code of the estimators, and of what invents studies for them.

    Returns
    -------
    str
        SHA-256 over file names and contents.
    """
    from placeproof import effects

    folder = Path(effects.__file__).parent
    digest = hashlib.sha256()
    for pattern in _JUDGED:
        for path in sorted(folder.glob(pattern)):
            content = path.read_bytes().replace(b"\r\n", b"\n")
            digest.update(path.name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()


def designs(work: Work) -> dict[str, Design | None]:
    """
    Take from a run what a certificate of each headline outcome may see.

    Parameters
    ----------
    work : Work
        A run whose panel is counted.

    Returns
    -------
    dict of str to Design or None
        By outcome; None where it has no counts in hot spots and comparison places.
    """
    if work.panel is None:
        return dict.fromkeys(work.headline_outcomes())
    kept = for_estimation(work, work.panel)
    hidden: date | None = masked_from(work)
    return {
        name: design(work.panel, kept, outcome=name, masked_from=hidden)
        for name in work.headline_outcomes()
    }


def read_certificate(folder: Path) -> Mapping[str, Any] | None:
    """
    Read the certificate of a study.

    Parameters
    ----------
    folder : Path
        The study's folder.

    Returns
    -------
    mapping or None
        None where none was made.

    Raises
    ------
    InputError
        If it cannot be read, or is of another form.
    """
    path = folder / CERTIFICATE
    if not path.is_file():
        return None
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        if read["schema"] != SCHEMA:
            raise ValueError
        dict(read["outcomes"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"{CERTIFICATE.as_posix()} cannot be read.",
            mend="delete it and type placeproof certify to make it anew",
        ) from None
    return dict(read)


def certificate_sha256(folder: Path) -> str | None:
    """
    Hash the certificate of a study: what it says stands in a run, and so in the run's identity.

    Parameters
    ----------
    folder : Path
        The study's folder.

    Returns
    -------
    str or None
        None where none was made.
    """
    path = folder / CERTIFICATE
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def write_certificate(folder: Path, content: Mapping[str, object]) -> Path:
    """
    Put a certificate in its place, in one step for whoever reads.

    Parameters
    ----------
    folder : Path
        The study's folder.
    content : mapping
        What it says.

    Returns
    -------
    Path
        The file.
    """
    path = folder / CERTIFICATE
    with refusals_explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".json.new")
        text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
        fresh.write_text(text + "\n", encoding="utf-8", newline="\n")
        fresh.replace(path)
    return path


def why_stale(
    certificate: Mapping[str, Any], work: Work, outcome: str, made: Design | None
) -> str | None:
    """
    Say why a certificate does not speak of this study any more.

    Parameters
    ----------
    certificate : mapping
        As it was read.
    work : Work
        The run.
    outcome : str
        One of its headline outcomes.
    made : Design or None
        What a certificate made now would rest on.

    Returns
    -------
    str or None
        None where it holds.
    """
    told = certificate["outcomes"].get(outcome)
    if told is None:
        return "it does not speak of this outcome"
    if certificate.get("plan_sha256") != work.lock.sha256:
        return "the plan was changed after it was made"
    if told.get("inputs_sha256") != (made.sha256 if made else None):
        return "the counts before the first patrols, the places or the starts changed since"
    if certificate.get("estimators_sha256") != estimators_sha256():
        return "the estimators were changed after it was made"
    return None
