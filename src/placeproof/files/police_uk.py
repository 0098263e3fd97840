"""Reads archives of data.police.uk: zips or folders of monthly CSV files.

Street files become crime and incident (anti-social behaviour), stop-and-search files become
stop_search. Exact repeats of anti-social behaviour are real and are kept; so are crimes whose
identifier stands in two months. A month without a file is *not supplied*, never 0.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import polars as pl

from placeproof.errors import InputError
from placeproof.files import archives, places, sheets
from placeproof.files.feed import (
    FeedResult,
    FeedSpec,
    Surroundings,
    combined,
    notices,
    stacked,
)
from placeproof.files.police_uk_months import Monthly, fetched, gaps, latest, listed, set_aside
from placeproof.files.police_uk_notices import noticed
from placeproof.files.quarantine import (
    FAULT_SCHEMA,
    checked,
    counted,
    faults,
    located,
    parted,
    told,
    without_quarantined,
    without_rows,
)
from placeproof.files.sheets import STRUCTURE_SCHEMA, Sheet
from placeproof.tables import TABLES

_ASB = "anti-social-behaviour"

_COLUMNS = {
    "Crime ID": "crime_id",
    "Month": "month_text",
    "Longitude": "longitude_deg",
    "Latitude": "latitude_deg",
    "LSOA code": "lsoa_code",
    "Crime type": "crime_type",
    "Last outcome category": "last_outcome",
}
_SOURCE = {ours: theirs for theirs, ours in _COLUMNS.items()}
_SHOWN = {"month": "Month", "category": "Crime type", **_SOURCE}

# What a category of data.police.uk says of a row: (slug, violence, weapon, robbery, sexual,
# police_generated). None: it does not say. "Violence and sexual offences" mixes injury, no injury,
# stalking, harassment and sexual offences, and a weapon may stand behind several categories.
_CATEGORIES: dict[str, tuple[str, bool | None, bool | None, bool | None, bool | None, bool]] = {
    "Anti-social behaviour": (_ASB, False, None, False, False, False),
    "Bicycle theft": ("bicycle-theft", False, False, False, False, False),
    "Burglary": ("burglary", False, None, False, False, False),
    "Criminal damage and arson": ("criminal-damage-arson", False, None, False, False, False),
    "Drugs": ("drugs", False, False, False, False, True),
    "Other crime": ("other-crime", False, None, False, False, False),
    "Other theft": ("other-theft", False, False, False, False, False),
    "Possession of weapons": ("possession-of-weapons", False, True, False, False, True),
    "Public order": ("public-order", False, None, False, False, False),
    "Robbery": ("robbery", False, None, True, False, False),
    "Shoplifting": ("shoplifting", False, False, False, False, False),
    "Theft from the person": ("theft-from-the-person", False, False, False, False, False),
    "Vehicle crime": ("vehicle-crime", False, False, False, False, False),
    "Violence and sexual offences": ("violent-crime", None, None, False, None, False),
}
_FLAGS = ("violence", "weapon", "robbery", "sexual", "police_generated")


def read(spec: FeedSpec, surroundings: Surroundings) -> FeedResult:
    """
    Read an archive of data.police.uk.

    Parameters
    ----------
    spec : FeedSpec
        `paths` are zips, folders or single files. Columns are known and need no mapping.
        `extract_date` decides between archives that hold the same month.
    surroundings : Surroundings
        Force outline, first day and cut-off of the study.

    Returns
    -------
    FeedResult
        Tables crime and incident, and stop_search where supplied. Points are projected to metres;
        rows outside the force are kept and noticed.

    Raises
    ------
    InputError
        If no file has a name as 2020-01-leicestershire-street.csv, or two hold the same month.
    """
    found, said = listed(spec)
    monthly, older = latest(found)
    street = [file for file in monthly if file.kind == "street"]
    if not street:
        raise InputError(
            f"[data.{spec.name}]: no street file, as 2020-01-leicestershire-street.csv.",
            mend="Name the zip or folder that data.police.uk delivers in files.",
        )
    said += gaps(spec, monthly)
    files, rows, broken = _street_rows(spec, street)
    crime, incident, faulty = _judged(rows, broken, surroundings)
    said += noticed(spec, rows, crime, _CATEGORIES) + without_rows(spec, files)
    results = [_result(spec, files, {"crime": crime, "incident": incident}, faulty, said)]
    searches = [(file.member, file.month) for file in monthly if file.kind == "stop-and-search"]
    if searches:
        from placeproof.files import stop_searches

        results.append(stop_searches.read(spec, surroundings, searches))
    return combined([*results, set_aside(spec, monthly, older)])


def _street_rows(
    spec: FeedSpec, street: list[Monthly]
) -> tuple[list[Sheet], pl.DataFrame, pl.DataFrame]:
    """All rows of all street files, typed; files that are not quite right are read slowly."""
    with ThreadPoolExecutor(2) as pool:  # hashing and inflating let go of the interpreter
        raws = list(pool.map(lambda file: fetched(file.member), street))
    quick = [_quick(raw, place) for place, (raw, _) in enumerate(raws)]
    try:
        parts: list[pl.DataFrame | None] = list(pl.collect_all(quick))
    except pl.exceptions.PolarsError:
        parts = [None] * len(raws)
    files, typed, broken = [], [], []
    for place, (file, (raw, hashed), part) in enumerate(zip(street, raws, parts, strict=True)):
        if part is None or not raw.endswith(b"\n") or _has_blanks(part):
            slow = _slow(spec, raw, file.member, place)
            files.append(slow[0])
            typed.append(slow[1])
            broken.append(slow[2])
            continue
        typed.append(part)
        files.append(
            Sheet(
                path=file.member.shown,
                sha256=hashed,
                bytes=len(raw),
                rows=pl.DataFrame(),
                broken=pl.DataFrame(schema=STRUCTURE_SCHEMA),
                rows_in=part.height,
                encoding="utf-8",
                separator=",",
                archive_sha256=file.member.archive_sha256,
            )
        )
    rows = pl.concat(typed)
    shas = pl.Series([sheet.sha256 for sheet in files], dtype=pl.String)
    return (
        files,
        rows.with_columns(source_sha256=shas.gather(rows["file"])),
        stacked(broken, FAULT_SCHEMA),
    )


def _has_blanks(part: pl.DataFrame) -> bool:
    """Whether a line may be short: these two columns are never blank in a whole line."""
    return bool(part["crime_type"].null_count() or part["month_text"].null_count())


def _quick(raw: bytes, place: int) -> pl.LazyFrame:
    """A scan that fails, rather than guesses, where a file is not as data.police.uk writes it."""
    numbers = {_SOURCE["longitude_deg"]: pl.Float64, _SOURCE["latitude_deg"]: pl.Float64}
    return pl.scan_csv(
        raw,
        infer_schema=False,
        schema_overrides=numbers,
        row_index_name="source_row",
        row_index_offset=2,
    ).select(
        pl.lit(place, dtype=pl.Int32).alias("file"),
        pl.col("source_row").cast(pl.Int64),
        *(pl.col(theirs).alias(ours) for theirs, ours in _COLUMNS.items()),
    )


def _slow(
    spec: FeedSpec, raw: bytes, member: archives.Member, place: int
) -> tuple[Sheet, pl.DataFrame, pl.DataFrame]:
    sheet = sheets.text_sheet(raw, shown=member.shown, encoding=spec.encoding, separator=",")
    if absent := [name for name in _COLUMNS if name not in sheet.headers]:
        raise InputError(
            f'{member.shown} has no column "{absent[0]}".',
            mend="Use the file as data.police.uk delivers it.",
        )
    rows = sheet.rows.select(
        pl.lit(place, dtype=pl.Int32).alias("file"),
        "source_row",
        *(pl.col(theirs).str.strip_chars().alias(ours) for theirs, ours in _COLUMNS.items()),
    )
    degrees = ("longitude_deg", "latitude_deg")
    texts = [
        faults(
            rows,
            pl.col(name).is_not_null() & pl.col(name).cast(pl.Float64, strict=False).is_null(),
            rule="text-in-number",
            column=_SOURCE[name],
            found=pl.col(name),
            expected="degrees, as -1.132",
            mend="Use the file as data.police.uk delivers it.",
        )
        for name in degrees
    ]
    blank = [
        faults(
            rows,
            pl.col(name).is_null(),
            rule="blank value",
            column=_SOURCE[name],
            found=None,
            expected="a value: this column is never blank",
            mend="Use the file as data.police.uk delivers it.",
        )
        for name in ("month_text", "crime_type")
    ]
    damaged = sheet.broken.with_columns(
        file=pl.lit(place), column=pl.lit("whole row"), kept=pl.lit(False)
    )
    broken = stacked([damaged, *texts, *blank], FAULT_SCHEMA)
    typed = rows.with_columns(pl.col(name).cast(pl.Float64, strict=False) for name in degrees)
    archived = replace(sheet, archive_sha256=member.archive_sha256)
    return archived, without_quarantined(typed, broken), broken


def _judged(
    rows: pl.DataFrame, broken: pl.DataFrame, surroundings: Surroundings
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Tables crime and incident (with `file`), and every fault."""
    months = rows.select(pl.col("month_text").unique()).with_columns(
        month=pl.col("month_text").str.to_date("%Y-%m", strict=False)
    )
    found = [broken]
    fitting = months.select((pl.col("month") <= surroundings.cut_off).fill_null(False).all())
    dated = rows.with_columns(month=pl.col("month_text").str.to_date("%Y-%m", strict=False))
    if not fitting.item():
        found.append(_wrong_months(dated, surroundings))
    found.append(_wrong_points(dated))
    faulty = stacked(found, FAULT_SCHEMA)
    fit = without_quarantined(dated, faulty)
    placed = places.in_metres(fit, surroundings.area_wkb)
    faulty = stacked([faulty, _outside(placed)], FAULT_SCHEMA)
    described = placed.join(_meanings(rows), on="crime_type", how="left", maintain_order="left")
    asb = pl.col("category") == _ASB
    crime = _as_table(described.filter(~asb), "crime")
    incident = _as_table(
        described.filter(asb).with_columns(incident_id=pl.col("crime_id")), "incident"
    )
    return crime, incident, faulty


def _wrong_months(dated: pl.DataFrame, surroundings: Surroundings) -> pl.DataFrame:
    wrong = faults(
        dated,
        pl.col("month").is_null(),
        rule="wrong-date",
        column="Month",
        found=pl.col("month_text"),
        expected="a month, as 2020-01",
        mend="Use the file as data.police.uk delivers it.",
    )
    late = faults(
        dated,
        pl.col("month") > surroundings.cut_off,
        rule="future-date",
        column="Month",
        found=pl.col("month_text"),
        expected=f"a month that has begun by the cut-off, {surroundings.cut_off}",
        mend="Move cut_off in study.toml if these months belong to the study.",
    )
    return stacked([wrong, late], FAULT_SCHEMA)


def _wrong_points(dated: pl.DataFrame) -> pl.DataFrame:
    longitude, latitude = pl.col("longitude_deg"), pl.col("latitude_deg")
    fits = places.degrees_fit("longitude_deg", "latitude_deg")
    swapped = places.degrees_fit("latitude_deg", "longitude_deg")
    half = longitude.is_null() != latitude.is_null()
    astray = dated.filter((~fits).fill_null(False) | half)
    point = pl.concat_str([longitude, latitude], separator=", ", ignore_nulls=True)
    again = "Use the file as data.police.uk delivers it."
    cases = (
        (swapped, "swapped-coordinates", "longitude before latitude", "Swap the two columns."),
        (~swapped & ~half, "wrong-crs", "degrees within Great Britain", again),
        (half, "half-a-point", "both coordinates, or none", again),
    )
    return stacked(
        [
            faults(
                astray,
                case,
                rule=rule,
                column="Longitude",
                found=point,
                expected=expected,
                mend=mend,
            )
            for case, rule, expected, mend in cases
        ],
        FAULT_SCHEMA,
    )


def _outside(placed: pl.DataFrame) -> pl.DataFrame:
    return faults(
        placed,
        ~pl.col("inside"),
        rule="out-of-force",
        column="Longitude",
        found=pl.concat_str(["longitude_deg", "latitude_deg"], separator=", "),
        expected="a point inside the force area",
        mend="None is needed: the rows are kept, and no place inside the force counts them.",
        kept=True,
    )


def _meanings(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per crime type that occurs: its slug and what it says; unknown ones say nothing."""
    types = rows["crime_type"].unique().drop_nulls().sort().to_list()
    made = []
    for name in types:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "unknown"
        known = _CATEGORIES.get(name, (slug, None, None, None, None, None))
        made.append(
            {"crime_type": name, "category": known[0], **dict(zip(_FLAGS, known[1:], strict=True))}
        )
    flags = dict.fromkeys(_FLAGS, pl.Boolean())
    return pl.DataFrame(made, schema={"crime_type": pl.String(), "category": pl.String(), **flags})


def _as_table(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    located_rows = rows.with_columns(
        location_quality=pl.when(pl.col("easting_m").is_null())
        .then(pl.lit("missing"))
        .otherwise(pl.lit("snapped")),
        status=pl.lit("recorded"),
        qualifier=pl.lit("unknown"),
    )
    columns = [
        pl.col(column)
        if column in located_rows.columns
        else pl.lit(None, dtype=kind.dtype).alias(column)
        for column, kind in TABLES[name].columns().items()
    ]
    return located_rows.select("file", *columns)


def _result(
    spec: FeedSpec,
    files: list[Sheet],
    made: dict[str, pl.DataFrame],
    faulty: pl.DataFrame,
    said: list[dict[str, object]],
) -> FeedResult:
    late = [checked(rows, name, _SHOWN) for name, rows in made.items()]
    every = stacked([faulty, *late], FAULT_SCHEMA)
    kept = {
        name: without_quarantined(rows, every) if any(f.height for f in late) else rows
        for name, rows in made.items()
    }
    receipt = counted(
        spec,
        files,
        table=" ".join(made),
        kept=pl.concat([rows.select("file", "month") for rows in kept.values()]),
        broken=every,
    )
    found = located(spec, every, files)
    quarantine, flagged = parted(found)
    return FeedResult(
        tables={name: rows.drop("file") for name, rows in kept.items()},
        quarantine=quarantine,
        receipts=receipt,
        notices=notices([*said, *told(spec, found)]),
        flagged=flagged,
    )
