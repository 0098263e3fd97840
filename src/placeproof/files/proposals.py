"""A proposed mapping, and the section of `study.toml` that says it."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

from placeproof.files import time_forms
from placeproof.tables import TABLES


@dataclass(frozen=True)
class MappingProposal:
    """
    What a file seems to be, and the lines of `study.toml` that would read it.

    Parameters
    ----------
    path : Path
        The file.
    contract : str
        Canonical table that fits best; "police-uk" for an archive of data.police.uk; "" where
        nothing fits.
    format : str
        "table", "geo", "gpx" or "police-uk".
    columns : dict
        Canonical column to header.
    values : dict
        Canonical column to {source value: canonical value}; "" where a person must choose.
    time_format, time_zone, crs, encoding, separator, sheet : str or None
        As for a feed; None where the file states it or nothing was found.
    confidence : float
        0 to 1: how much of the contract was recognised, less for everything unsure.
    unsure : tuple of str
        What a person must settle, in sentences.
    toml : str
        A section for `study.toml`, with a comment on each doubt.
    """

    path: Path
    contract: str
    format: str
    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    time_format: str | None = None
    time_zone: str | None = None
    crs: str | None = None
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    confidence: float = 0.0
    unsure: tuple[str, ...] = ()
    toml: str = ""


def finished(proposal: MappingProposal, headers: list[str]) -> MappingProposal:
    """
    The proposal with its section for `study.toml`.

    Parameters
    ----------
    proposal : MappingProposal
        All but `toml`.
    headers : list of str
        Of the file: those that are not used are listed in a comment.
    """
    return replace(proposal, toml=_toml(proposal, headers))


def _toml(proposal: MappingProposal, headers: list[str]) -> str:
    name = "".join(c if c.isalnum() else "_" for c in proposal.path.name.split(".")[0].lower())
    lines = [
        f"# Proposed from {proposal.path.name}; confidence {proposal.confidence:.2f}.",
        *(f"# UNSURE: {doubt}" for doubt in proposal.unsure),
        f"[data.{name or 'feed'}]",
    ]
    if proposal.format in ("police-uk", "gpx", "geo"):
        lines.append(f"format = {_quoted(proposal.format)}")
    contract = proposal.contract or "?"
    lines += [f"contract = {_quoted(contract)}", f"files = [{_quoted(proposal.path.name)}]"]
    for key in ("time_format", "time_zone", "crs", "encoding", "separator", "sheet"):
        value = getattr(proposal, key)
        if key == "time_format" and str(value) in time_forms.ALWAYS_READ:
            continue
        if value is not None and not (key == "encoding" and value in ("utf-8", "utf-8-sig")):
            lines.append(f"{key} = {_quoted(value)}")
    if proposal.columns:
        lines += ["", f"[data.{name}.columns]"]
        lines += [f"{column} = {_quoted(head)}" for column, head in proposal.columns.items()]
    left = [header for header in headers if header not in proposal.columns.values()]
    if left:
        lines.append(f"# Not used: {', '.join(_quoted(header) for header in left)}")
    for column, choices in proposal.values.items():
        lines += ["", f"[data.{name}.values.{column}]"]
        for value, ours in choices.items():
            doubt = "" if ours else f"  # UNSURE: one of {_options(proposal.contract, column)}"
            lines.append(f"{_quoted(value)} = {_quoted(ours)}{doubt}")
    return "\n".join(lines) + "\n"


def _options(contract: str, column: str) -> str:
    known = TABLES[contract].columns()[column]
    return ", ".join((known.metadata or {}).get("allowed") or ("true", "false"))


def _quoted(text: str) -> str:
    """A TOML basic string: JSON escapes the same way, but for the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
