"""Which monthly files an archive of data.police.uk holds, and which months it lacks."""

import re
from dataclasses import dataclass
from datetime import date

import polars as pl

from placeproof.errors import InputError
from placeproof.files import archives, decoding, sheets
from placeproof.files.feed import (
    QUARANTINE_SCHEMA,
    FeedResult,
    FeedSpec,
    notice,
    notices,
    receipts,
)

_NAME = re.compile(r"^(\d{4}-\d{2})-(.+)-(street|outcomes|stop-and-search)\.csv$")


@dataclass(frozen=True)
class Monthly:
    """
    One monthly file of an archive.

    Parameters
    ----------
    month : str
        As 2020-01.
    force, kind : str
        From the name of the file; kind is street, outcomes or stop-and-search.
    extract : str
        Date of the archive; "" where it is not asked for.
    member : Member
        Where its bytes are.
    """

    month: str
    force: str
    kind: str
    extract: str
    member: archives.Member


def listed(spec: FeedSpec) -> tuple[list[Monthly], list[dict[str, object]]]:
    """
    Find the monthly files of a feed.

    Parameters
    ----------
    spec : FeedSpec
        `paths` are zips, folders or single files.

    Returns
    -------
    monthly : list of Monthly
        In the order of the paths, then by name.
    said : list of notices
        Files that were not read because of their names.
    """
    found, said = [], []
    for path in spec.paths:
        members, unsafe = archives.members(path, shown=spec.shown(path))
        strangers = [*unsafe]
        for member in members:
            match = _NAME.match(member.name)
            if match and member.empty:
                said.append(_empty(spec, member, match[1]))
            elif match:
                extract = _extract(spec, member.archive)
                found.append(Monthly(match[1], match[2], match[3], extract, member))
            else:
                strangers.append(member.shown)
        if strangers:
            text = (
                f"{len(strangers)} files in {spec.shown(path)} were not read, the first is "
                f"{strangers[0]}: their names are not those of data.police.uk."
            )
            said.append(notice(spec.name, "unknown-files", "note", text, rows=None))
    return found, said


def _extract(spec: FeedSpec, name: str) -> str:
    if spec.extract_date is None:
        return ""
    match = re.search(spec.extract_date, name)
    return match[1] if match and match.groups() else (match[0] if match else "")


def latest(found: list[Monthly]) -> tuple[list[Monthly], list[Monthly]]:
    """
    Of two files for one force, month and kind, choose the one of the later archive.

    Parameters
    ----------
    found : list of Monthly
        All files.

    Returns
    -------
    chosen, older : lists of Monthly
        One file per force, month and kind; the files that these replace.

    Raises
    ------
    InputError
        If two files hold the same month and nothing says which archive is later.
    """
    chosen: dict[tuple[str, str, str], Monthly] = {}
    older = []
    for file in sorted(found, key=lambda file: (file.kind, file.force, file.month, file.extract)):
        key = (file.kind, file.force, file.month)
        before = chosen.get(key)
        if before is not None and before.extract == file.extract:
            raise InputError(
                f"{before.member.shown} and {file.member.shown} hold the same month.",
                mend="Remove one, or set extract_date to a pattern that finds each archive's date.",
            )
        if before is not None:
            older.append(before)
        chosen[key] = file
    return list(chosen.values()), older


def gaps(spec: FeedSpec, monthly: list[Monthly]) -> list[dict[str, object]]:
    """
    Name the months between the first and the last that have no file: not supplied, never 0.

    Parameters
    ----------
    spec : FeedSpec
        The feed that is read.
    monthly : list of Monthly
        One file per force, month and kind.
    """
    said = []
    groups = sorted({(file.kind, file.force) for file in monthly if file.kind != "outcomes"})
    for kind, force in groups:
        months = sorted(f.month for f in monthly if (f.kind, f.force) == (kind, force))
        span = pl.date_range(_first(months[0]), _first(months[-1]), "1mo", eager=True)
        if missing := sorted(set(span.dt.strftime("%Y-%m")) - set(months)):
            text = (
                f"{force}, {kind}: {len(missing)} months between {months[0]} and {months[-1]} "
                f"have no file ({', '.join(missing)}). They are not supplied, which is not 0."
            )
            mend = "Download the missing months from data.police.uk."
            said.append(notice(spec.name, "months-not-supplied", "warning", text, mend=mend))
    return said


def _empty(spec: FeedSpec, member: archives.Member, month: str) -> dict[str, object]:
    text = f"{member.shown} is empty: 0 bytes. {month} is taken as not supplied, which is not 0."
    mend = "Download that month again from data.police.uk."
    return notice(spec.name, "empty-file", "error", text, mend=mend)


def _first(month: str) -> date:
    return date(int(month[:4]), int(month[5:7]), 1)


def fetched(member: archives.Member) -> tuple[bytes, str]:
    """
    The bytes of a file and their SHA-256.

    Parameters
    ----------
    member : Member
        A file in a folder or zip.
    """
    raw = member.content()
    return raw, decoding.sha256(raw)


def set_aside(spec: FeedSpec, monthly: list[Monthly], older: list[Monthly]) -> FeedResult:
    """
    Receipts of files that were not turned into rows: outcomes, and months of older archives.

    Parameters
    ----------
    spec : FeedSpec
        The feed that is read.
    monthly, older : lists of Monthly
        Files that were chosen, and those that they replace.
    """
    outcomes = [file for file in monthly if file.kind == "outcomes"]
    made, said = [], []
    for file, superseded in [*((f, False) for f in outcomes), *((f, True) for f in older)]:
        raw, hashed = fetched(file.member)
        rows = 0
        if superseded and file.kind != "outcomes":
            rows = sheets.text_sheet(raw, shown=file.member.shown, separator=",").rows_in
        made.append(
            {
                "feed": spec.name,
                "table": "",
                "path": file.member.shown,
                "sha256": hashed,
                "archive_sha256": file.member.archive_sha256,
                "bytes": len(raw),
                "rows_in": rows,
                "rows_superseded": rows,
            }
        )
    if outcomes:
        text = (
            f"{len(outcomes)} outcomes files are noted and not read: street files carry the last "
            "outcome of each crime."
        )
        said.append(notice(spec.name, "outcomes-not-read", "note", text))
    if older:
        text = f"{len(older)} monthly files of older archives were replaced by later ones."
        rows = sum(int(str(row.get("rows_superseded", 0))) for row in made)
        said.append(notice(spec.name, "superseded", "note", text, rows=rows))
    return FeedResult(
        tables={},
        quarantine=pl.DataFrame(schema=QUARANTINE_SCHEMA),
        receipts=receipts(made),
        notices=notices(said),
    )
