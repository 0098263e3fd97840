"""Proposes how the columns of a file map to ours, and says what it is not sure of.

A proposal decides nothing: a person reads it, settles what is marked UNSURE and pastes it into
`study.toml`. Values of columns that look personal are never shown.
"""

import re
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import dataframely as dy
import polars as pl

from placeproof.errors import InputError
from placeproof.files import header_words, places, shapes, sheets, time_forms
from placeproof.files.proposals import MappingProposal, finished
from placeproof.tables import TABLES

MADE_BY_US = {"panel", "finding", "answer", "estimate", "place", "visit"}
_DERIVED = {
    "month", "location_quality", "status", "source_sha256", "source_row", "geometry", "area_m2",
    "centre_easting_m", "centre_northing_m", "suppressed", "operating_day", "qualifier",
}  # fmt: skip
_MOST_VALUES = 30
LONGEST_LINE_BYTES = 1_000_000
"""A longer first line is no header."""
_NO_HEADER = re.compile(
    r"^[+-]?(\d+\.\d+|\d{5,}|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*|\d{1,2}:\d{2}.*)$"
)
_YES = {"y", "yes", "true", "t", "1"}
_NO = {"n", "no", "false", "f", "0"}


def propose_mapping(
    path: Path, *, contract: str | None = None, sheet: str | None = None
) -> MappingProposal:
    """
    Read a file and propose the section of `study.toml` that would read it into our tables.

    Parameters
    ----------
    path : Path
        CSV (gz or not), XLSX, Parquet, GPX, a file of outlines, or a zip of data.police.uk.
    contract : str or None
        Canonical table, where the user knows it; None: the one that fits best.
    sheet : str or None
        Sheet of a workbook; None: the only one, or the one that fits a table of ours best.

    Returns
    -------
    MappingProposal
        The file is not changed and nothing is written.

    Raises
    ------
    InputError
        If the file cannot be read, or `contract` is no table that files can hold.
    """
    if contract is not None and (contract not in TABLES or contract in MADE_BY_US):
        raise InputError(
            f'"{contract}" is not a table that a file can hold.',
            mend=f"Use one of {', '.join(sorted(set(TABLES) - MADE_BY_US))}.",
        )
    if not path.is_file():
        raise InputError(f"{path.name}: there is no such file.", mend="Check the name.")
    ending = path.suffix.lower()
    if ending == ".zip" and _is_police_uk(path):
        return finished(MappingProposal(path, "police-uk", "police-uk", confidence=1.0), [])
    if ending == ".gpx" or path.name.lower().endswith(".gpx.gz"):
        return finished(MappingProposal(path, "ping", "gpx", confidence=1.0), [])
    if ending in (*shapes.ENDINGS, ".zip"):
        return _of_shapes(path, contract)
    names = _sheet_names(path) if sheet is None else [sheet]
    if len(names) < 2:
        return _of_table(path, contract, sheet)
    tried = [_of_table(path, contract, name) for name in names]
    best = max(tried, key=lambda proposal: (bool(proposal.contract), proposal.confidence))
    others = [name for name in names if name != best.sheet]
    doubt = f"The workbook has more sheets: {', '.join(others)}. Each needs a section of its own."
    chosen = replace(best, unsure=(doubt, *best.unsure))
    return replace(chosen, toml=f"# UNSURE: {doubt}\n{best.toml}")


def _sheet_names(path: Path) -> list[str]:
    if path.suffix.lower() not in (".xlsx", ".xlsm", ".xls", ".ods"):
        return []
    import fastexcel

    try:
        return list(fastexcel.read_excel(path).sheet_names)
    except fastexcel.FastExcelError:
        return []  # the reader of tables says what is wrong with it


def _is_police_uk(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        raise InputError(
            f"{path.name} is not a whole zip file.", mend="Copy it again; it may be cut off."
        ) from None
    return any(name.endswith(("-street.csv", "-stop-and-search.csv")) for name in names)


def _of_shapes(path: Path, contract: str | None) -> MappingProposal:
    opened = shapes.open_shapes(path, layer=None, encoding=None)
    columns, doubts = _columns(contract or "hotspot", opened.attributes.columns)
    unsure = list(doubts.values())
    if "hotspot_id" not in columns and contract is None:
        unsure = ["No column names hot spots: is this the outline of the study area, or of LSOAs?"]
    if opened.crs is None:
        unsure.append("The file does not say in which coordinate system it is: set crs.")
    days = [name for name in columns if _is_time("hotspot", name)]
    form, about_time = _time_form("hotspot", opened.attributes, {d: columns[d] for d in days})
    proposal = MappingProposal(
        path,
        contract or "hotspot",
        "geo",
        columns=columns,
        values=_values("hotspot", opened.attributes, columns),
        time_format=form,
        crs=None,
        confidence=_confidence(contract or "hotspot", columns, len(unsure)),
        unsure=(*unsure, *about_time),
    )
    return finished(proposal, opened.attributes.columns)


def _require_text(path: Path) -> None:
    """A text file whose head is no text, or one endless line, is no table: say so at once."""
    if path.suffix.lower() not in (".csv", ".txt", ".tsv"):
        return
    with path.open("rb") as file:
        head = file.read(LONGEST_LINE_BYTES + 1)
    utf16 = head[:2] in (b"\xff\xfe", b"\xfe\xff")
    if not utf16 and b"\x00" in head:
        raise InputError(
            f"{path.name} is no text: byte {head.index(0) + 1} is 0.",
            mend="Export it as CSV; a workbook needs its own ending, .xlsx.",
        )
    if len(head) > LONGEST_LINE_BYTES and b"\n" not in head and b"\r" not in head:
        raise InputError(
            f"{path.name} begins with a line of more than {LONGEST_LINE_BYTES:,} bytes.",
            mend="Export it with one record on each line.",
        )


def _of_table(path: Path, contract: str | None, tab: str | None) -> MappingProposal:
    _require_text(path)
    sheet = sheets.sheet(path, shown=path.name, tab=tab)
    rows = sheet.rows.drop("source_row").select(pl.all().cast(pl.String, strict=False))
    chosen = contract or _best_contract(f"{path.name} {tab or ''}", rows.columns)
    if _looks_like_data(rows.columns):
        # The first row is then not shown: it may hold what is personal.
        count = len(rows.columns)
        unsure: tuple[str, ...] = (
            f'The first row looks like data, not like headers: name the {count} columns "column 1" '
            f'to "column {count}" if this is a ping file; else add a row of headers.',
        )
        bare = MappingProposal(path, contract or "", "table", sheet=tab, unsure=unsure)
        return finished(bare, [])
    if not chosen:
        unsure = ("No table of ours has headers like these: name the contract yourself.",)
        bare = MappingProposal(
            path,
            "",
            "table",
            encoding=sheet.encoding,
            separator=sheet.separator,
            sheet=tab,
            unsure=unsure,
        )
        return finished(bare, rows.columns)
    columns, doubts = _columns(chosen, rows.columns)
    times = {name: head for name, head in columns.items() if _is_time(chosen, name)}
    form, about_times = _time_form(chosen, rows, times)
    zone, about_zone = _time_zone(chosen, rows, times, form)
    crs, about_crs = _crs(rows, columns)
    unsure = (*doubts.values(), *about_times, *about_zone, *about_crs)
    proposal = MappingProposal(
        path,
        chosen,
        "table",
        columns=columns,
        values=_values(chosen, rows, columns),
        time_format=form,
        time_zone=zone,
        crs=crs,
        encoding=sheet.encoding,
        separator=sheet.separator,
        sheet=tab,
        confidence=_confidence(chosen, columns, len(unsure)),
        unsure=unsure,
    )
    return finished(proposal, rows.columns)


def _looks_like_data(headers: list[str]) -> bool:
    """Whether at least half of the fields of the first row are what no header is."""
    fields = [field for header in headers for field in header.split()]
    return 2 * sum(bool(_NO_HEADER.match(field)) for field in fields) >= len(fields)


def _best_contract(name: str, headers: list[str]) -> str:
    """The table whose columns the headers fill best; "" where none gets half of what it needs."""
    scores = {}
    for contract in sorted(set(TABLES) - MADE_BY_US):
        matched = _matches(contract, headers)
        needed = _needed(contract)
        share_needed = sum(matched.get(c, ("", 0.0))[1] for c in needed) / max(len(needed), 1)
        share_used = sum(score for _, score in matched.values()) / max(len(headers), 1)
        told = 0.4 if contract.replace("_", " ") in header_words.plain(name) else 0.0
        scores[contract] = 0.6 * share_needed + 0.4 * share_used + told
    best = max(scores, key=lambda contract: (scores[contract], contract))
    return best if scores[best] >= 0.45 else ""


def _needed(contract: str) -> list[str]:
    own = {"crime": ["occurred_from", "easting_m", "category"], "incident": ["reported_at"]}
    required = [name for name, column in TABLES[contract].columns().items() if not column.nullable]
    return [name for name in required if name not in _DERIVED] + own.get(contract, [])


def _offered(contract: str) -> list[str]:
    """Columns that a file can fill; positions may come in degrees or in metres."""
    names = [n for n in TABLES[contract].column_names() if n not in ("source_sha256", "source_row")]
    if contract == "ping":
        names += ["easting_m", "northing_m"]
    elif "easting_m" in names:
        names += ["longitude_deg", "latitude_deg"]
    return [name for name in names if name not in ("geometry", "area_m2")]


def _matches(contract: str, headers: list[str]) -> dict[str, tuple[str, float]]:
    """The likeliest header of each column; each header stands for one column at most."""
    pairs = [
        (header_words.likeness(header, column), -place, column, header)
        for place, column in enumerate(_offered(contract))
        for header in headers
    ]
    taken: dict[str, tuple[str, float]] = {}
    used: set[str] = set()
    for score, _, column, header in sorted(pairs, reverse=True):
        if score >= header_words.LIKELY and column not in taken and header not in used:
            taken[column] = (header, score)
            used.add(header)
    return taken


def _columns(contract: str, headers: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    matched = _matches(contract, headers)
    ordered = [name for name in _offered(contract) if name in matched]
    columns = {name: matched[name][0] for name in ordered}
    doubts = {
        name: f'"{matched[name][0]}" is only like "{name}": check it.'
        for name in ordered
        if matched[name][1] < header_words.SURE
    }
    for name in _needed(contract):
        placed = {"longitude_deg", "latitude_deg", "easting_m", "northing_m"}
        if name not in columns and not (name in placed and placed & set(columns)):
            doubts[name] = f'Nothing was found for "{name}", which the table needs.'
    return columns, doubts


def _is_time(contract: str, column: str) -> bool:
    known = TABLES[contract].columns().get(column)
    return isinstance(known, dy.Datetime | dy.Date)


def _time_form(
    contract: str, rows: pl.DataFrame, times: Mapping[str, str]
) -> tuple[str | None, list[str]]:
    """One format for all times of the feed, with what speaks for it or leaves it open."""
    found = {name: time_forms.forms(rows[head]) for name, head in times.items()}
    read = {name: forms for name, forms in found.items() if forms.candidates}
    unsure = [
        f'"{times[name]}" does not look like times: {forms.evidence}.'
        for name, forms in found.items()
        if not forms.candidates and rows[times[name]].null_count() < rows.height
    ]
    settled = {forms.candidates[0] for forms in read.values() if len(forms.candidates) == 1}
    for name, forms in read.items():
        if len(forms.candidates) > 1 and not settled & set(forms.candidates):
            options = " or ".join(forms.candidates)
            unsure.append(f'"{times[name]}": {options}? {forms.evidence}.')
    if len(settled) > 1:
        unsure.append(f"Times stand in several forms: {', '.join(sorted(settled))}.")
    if settled:
        return sorted(settled)[0], unsure
    first = next(iter(read.values()), None)
    return (first.candidates[0] if first else None), unsure


def _time_zone(
    contract: str, rows: pl.DataFrame, times: Mapping[str, str], form: str | None
) -> tuple[str | None, list[str]]:
    moments = [n for n in times if isinstance(TABLES[contract].columns()[n], dy.Datetime)]
    if form is None or not moments or form.endswith(("Z", "z")) or form.startswith("epoch"):
        return None, []
    if "%H" not in form and "%I" not in form:
        return "Europe/London", []
    impossible = [
        (times[name], row)
        for name in moments
        for row in time_forms.london_gap_rows(rows[times[name]], form)[:1]
    ]
    if impossible:
        header, row = impossible[0]
        return "UTC", [
            f'"{header}", row {row}, lies in the hour that London skips in March: the times '
            "are not London time. UTC is proposed."
        ]
    return "Europe/London", [
        "The times carry no zone. London time is proposed; ask whether the export is in UTC."
    ]


def _crs(rows: pl.DataFrame, columns: dict[str, str]) -> tuple[str | None, list[str]]:
    """The coordinate system by the range of the values; names the pair of columns by it."""
    x, y = (
        next((name for name in pair if name in columns), "")
        for pair in (("easting_m", "longitude_deg"), ("northing_m", "latitude_deg"))
    )
    if not (x and y):
        return None, []
    found, doubts = _crs_of(rows, columns[x], columns[y])
    names = (
        ("longitude_deg", "latitude_deg") if found == "EPSG:4326" else ("easting_m", "northing_m")
    )
    for old, new in ((x, names[0]), (y, names[1])):
        columns[new] = columns.pop(old)
    return found, doubts


def _crs_of(rows: pl.DataFrame, x: str, y: str) -> tuple[str | None, list[str]]:
    known = rows.select(
        x=pl.col(x).cast(pl.Float64, strict=False), y=pl.col(y).cast(pl.Float64, strict=False)
    ).drop_nulls()
    known = known.filter((pl.col("x") != 0) | (pl.col("y") != 0))
    shares = {
        "EPSG:27700": known.select(places.metres_fit("x", "y").mean()).item(),
        "EPSG:4326": known.select(places.degrees_fit("x", "y").mean()).item(),
        "swapped": known.select(places.degrees_fit("y", "x").mean()).item(),
    }
    best = max(shares, key=lambda name: shares[name] or 0.0)
    if known.is_empty() or (shares[best] or 0.0) < 0.9:
        degrees = pl.col("x").is_between(-180, 180) & pl.col("y").is_between(-90, 90)
        if known.height and known.select(degrees.all()).item():
            return "EPSG:4326", ["The coordinates are degrees, but not in Great Britain."]
        return None, ["The coordinates fit neither the British National Grid nor WGS84: set crs."]
    if best == "swapped":
        return "EPSG:4326", [f'"{x}" holds latitudes and "{y}" longitudes: swap the two columns.']
    return best, []


def _values(
    contract: str, rows: pl.DataFrame, columns: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """For columns with a closed list: what each value of the source becomes."""
    proposed = {}
    for name, header in columns.items():
        column = TABLES[contract].columns().get(name)
        if column is None or (column.metadata or {}).get("personal"):
            continue
        allowed = tuple((column.metadata or {}).get("allowed") or ())
        if isinstance(column, dy.Bool):
            allowed = ("true", "false")
        if not allowed:
            continue
        found = sorted(set(rows[header].drop_nulls().str.strip_chars().to_list()) - {""})
        if len(found) <= _MOST_VALUES and not set(found) <= set(allowed):
            proposed[name] = {value: _closest(value, allowed) for value in found}
    return proposed


def _closest(value: str, allowed: tuple[str, ...]) -> str:
    """The allowed value with the same words or first letters; "" where none is plainly meant."""
    plain = header_words.plain(value)
    if allowed == ("true", "false"):
        return "true" if plain in _YES else "false" if plain in _NO else ""
    same = [word for word in allowed if header_words.plain(word) == plain]
    if not same and len(plain) >= 4:
        same = [
            word
            for word in allowed
            if (word.lower().startswith(plain) or plain.startswith(word.lower()))
        ]
    return same[0] if len(same) == 1 else ""


def _confidence(contract: str, columns: Mapping[str, str], doubts: int) -> float:
    needed = _needed(contract)
    found = sum(name in columns for name in needed) / max(len(needed), 1)
    return round(max(0.0, found - 0.05 * doubts), 2)


__all__ = ["MappingProposal", "propose_mapping"]
