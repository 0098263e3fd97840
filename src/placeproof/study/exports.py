"""How exports that are named on the command line map to positions: by options, or by a study."""

import gzip
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from placeproof.errors import InputError, SettingsError, StudyError
from placeproof.files.feed import FeedSpec, Surroundings
from placeproof.files.mapping import propose_mapping
from placeproof.files.proposals import MappingProposal

_HEAD_BYTES = 1 << 20
_OPTIONS = ("time_format", "time_zone", "crs", "encoding", "separator", "sheet")


@dataclass(frozen=True)
class Options:
    """
    What the command line says of the exports' columns; None or empty: not said.

    Parameters
    ----------
    columns : tuple of str
        Each as "device_id=Header".
    time_format, time_zone, crs, encoding, separator : str or None
        As in `study.toml`.
    """

    columns: tuple[str, ...] = ()
    time_format: str | None = None
    time_zone: str | None = None
    crs: str | None = None
    encoding: str | None = None
    separator: str | None = None


ANY_TIME = Surroundings(area_wkb=None, start=date.min, cut_off=date.max)


def spec_of(paths: Sequence[Path], options: Options) -> FeedSpec:
    """
    The mapping of exports that belong to no study.

    Parameters
    ----------
    paths : sequence of Path
        Exports of one form.
    options : Options
        What the command line says. What it does not say is proposed from the first export, and
        refused where the proposal is not sure.

    Raises
    ------
    InputError
        If the proposal is in doubt; the message says what to type.
    SettingsError
        If a column is not given as "device_id=Header".
    """
    given = _columns(options.columns)
    settings: dict[str, Any] = {
        name: getattr(options, name, None) for name in _OPTIONS if name != "sheet"
    }
    form = "gpx" if all(_is_gpx(path) for path in paths) else "auto"
    bare = FeedSpec("pings", "ping", form, tuple(paths), columns=given, **settings)
    if form == "gpx" or {"device_id", "at"} <= given.keys():
        return bare
    proposal = _proposed(paths[0])
    doubts = [doubt for doubt in proposal.unsure if _is_open(doubt, given, settings)]
    columns = {**{k: v for k, v in proposal.columns.items() if k not in given}, **given}
    if proposal.contract != "ping" or doubts or not {"device_id", "at"} <= columns.keys():
        raise InputError(_unclear(paths[0], proposal, doubts), mend=_line(proposal, columns))
    merged: dict[str, Any] = {
        name: settings.get(name) or getattr(proposal, name) for name in _OPTIONS
    }
    return replace(bare, columns=columns, **merged)


def study_spec(folder: Path, feed: str) -> tuple[FeedSpec, Surroundings]:
    """
    The mapping of a feed of positions of a study, and the study's last day.

    Parameters
    ----------
    folder : Path
        The study's folder.
    feed : str
        Name of the section, without "data.".

    Raises
    ------
    SettingsError
        If the study has no such feed, or it holds no positions.
    """
    from placeproof.study.settings import read_study

    study = read_study(folder)
    found = next((spec for spec in study.feeds if spec.name == feed), None)
    if found is None or found.contract != "ping":
        names = ", ".join(spec.name for spec in study.feeds if spec.contract == "ping")
        raise SettingsError(
            f'study.toml has no section [data.{feed}] with contract = "ping".',
            mend=f"Use one of: {names}." if names else "Write one; `placeproof map` proposes how.",
        )
    return found, Surroundings(None, study.start, study.cut_off)


def for_command_line(error: StudyError) -> StudyError:
    """
    The same error, with the option that does what the message asks of `study.toml`.

    Parameters
    ----------
    error : StudyError
        As the readers raise it.
    """
    if "--" in error.mend:
        return error
    said = f"{error.message} {error.mend}"
    error.mend = error.mend.replace(" for this feed in study.toml", "")
    options = [f"--{name.replace('_', '-')}" for name in _OPTIONS if name in said]
    if "[data.pings.columns]" in said or "Map " in error.mend:
        options.append("--column NAME=HEADER")
    if options:
        error.mend = f"{error.mend} On the command line: {', '.join(options)}."
    return error


def _columns(texts: Sequence[str]) -> dict[str, str]:
    known = {
        *("device_id", "at", "longitude_deg", "latitude_deg", "easting_m", "northing_m"),
        *("accuracy_m", "speed_m_s"),
    }
    made = {}
    for text in texts:
        name, equals, header = text.partition("=")
        if not equals or name.strip() not in known:
            raise SettingsError(
                f'--column "{text}" is not understood.',
                mend=f"Write NAME=HEADER, where NAME is one of {', '.join(sorted(known))}.",
            )
        made[name.strip()] = header.strip()
    return made


def _is_gpx(path: Path) -> bool:
    return path.name.lower().endswith((".gpx", ".gpx.gz"))


def _proposed(path: Path) -> MappingProposal:
    """By its first rows only: an export may be larger than the memory."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such file.", mend="Check the name.")
    with tempfile.TemporaryDirectory() as folder:
        head = Path(folder) / path.name
        with path.open("rb") as file:
            first = file.read(4)
        if first == b"PAR1":
            _head_of_parquet(path, head)
        else:
            head = head.with_suffix("") if head.suffix.lower() == ".gz" else head
            _head_of_text(path, head, packed=first[:2] == b"\x1f\x8b")
        return propose_mapping(head, contract="ping")


def _head_of_parquet(path: Path, head: Path) -> None:
    import polars as pl
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            batch = next(file.iter_batches(2_000), None)
            table = file.schema_arrow.empty_table() if batch is None else batch
        made = pl.from_arrow(table)
        assert isinstance(made, pl.DataFrame)
        made.write_parquet(head)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} is no Parquet that can be read: {str(error).splitlines()[0]}.",
            mend="Write or copy it again.",
        ) from None


def _head_of_text(path: Path, head: Path, *, packed: bool) -> None:
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            raw = file.read(_HEAD_BYTES)
    except (OSError, EOFError) as error:
        raise InputError(f"{path} cannot be read: {error}.", mend="Copy it again.") from None
    if path.suffix.lower() in (".xlsx", ".xlsm", ".xls", ".ods"):
        raw = path.read_bytes()
    elif len(raw) == _HEAD_BYTES and b"\n" in raw and raw[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raw = raw[: raw.rfind(b"\n") + 1]
    head.write_bytes(raw)


def _is_open(doubt: str, given: Mapping[str, str], settings: Mapping[str, str | None]) -> bool:
    """Whether the command line leaves a doubt of the proposal open."""
    if any(f'"{name}"' in doubt for name in given):
        return False
    if settings["time_zone"] and ("zone" in doubt or "London" in doubt):
        return False
    if settings["time_format"] and ("%" in doubt or "times" in doubt.lower()):
        return False
    return not (settings["crs"] and "coordinates" in doubt.lower())


def _unclear(path: Path, proposal: MappingProposal, doubts: Sequence[str]) -> str:
    if proposal.contract != "ping" and not doubts:
        return f"{path.name} does not look like positions of devices."
    listed = "".join(f"\n  - {doubt}" for doubt in doubts)
    return f"{path.name}: how its columns map is not certain.{listed}"


def _line(proposal: MappingProposal, columns: Mapping[str, str]) -> str:
    """What to type, with what is known filled in."""
    names = ["device_id", "at", "longitude_deg", "latitude_deg"]
    if "easting_m" in columns:
        names[2:] = ["easting_m", "northing_m"]
    words = [f'--column {name}="{columns.get(name, "HEADER")}"' for name in names]
    for name in ("time_format", "time_zone", "crs"):
        value = getattr(proposal, name)
        if value is not None:
            words.append(f'--{name.replace("_", "-")} "{value}"')
    return "check and type these options too:\n    " + "\n    ".join(words)
