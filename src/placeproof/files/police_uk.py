"""Reads archives of data.police.uk: zips or folders of monthly CSV files.

Street files become crime and incident (anti-social behaviour), stop-and-search files become
stop_search. Exact repeats of anti-social behaviour are real and are kept; so are crimes whose
identifier stands in two months. A month without a file is *not supplied*, never 0.
"""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import polars as pl

from placeproof.errors import InputError
from placeproof.files import places
from placeproof.files.feed import (
    FeedResult,
    FeedSpec,
    Surroundings,
    combined,
    notices,
    stacked,
)
from placeproof.files.police_uk_meanings import ASB_TYPE, CATEGORIES, FLAGS, meanings, unknown
from placeproof.files.police_uk_months import gaps, latest, listed, set_aside
from placeproof.files.police_uk_notices import noticed
from placeproof.files.police_uk_street import SOURCE, street_rows
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
from placeproof.files.sheet import Sheet
from placeproof.tables import TABLES

_SHOWN = {"month": "Month", "category": "Crime type", **SOURCE}

_ADDED = ("category", "incident_id", "easting_m", "northing_m", *FLAGS)
_SUPPLIED = (
    *("crime_id", "month", "lsoa_code", "last_outcome"),
    *("source_sha256", "source_row"),
)


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
    files, rows, broken = street_rows(spec, street)
    with ThreadPoolExecutor(1) as pool:  # passes that do not wait for each other
        knowing = pool.submit(lambda: (_facts(rows), unknown(rows)))
        placed = _placed(rows, surroundings)
        facts, strange = knowing.result()
        crime, incident, faulty = _judged(rows, facts, strange, placed, broken, surroundings)
        saying = pool.submit(noticed, spec, facts, strange, crime)
        result = _result(spec, files, {"crime": crime, "incident": incident}, faulty)
        said += [*saying.result(), *without_rows(spec, files)]
    told_of = [*said, *result.notices.iter_rows(named=True)]
    results = [replace(result, notices=notices(told_of))]
    searches = [(file.member, file.month) for file in monthly if file.kind == "stop-and-search"]
    if searches:
        from placeproof.files import stop_searches

        results.append(stop_searches.read(spec, surroundings, searches))
    return combined([*results, set_aside(spec, monthly, older)])


def _facts(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per file: what one pass can tell, so that most rules need no pass of their own."""
    degrees = ("longitude_deg", "latitude_deg")
    return rows.group_by("file").agg(
        pl.len().alias("rows"),
        pl.col("month").null_count().alias("monthless"),
        pl.col("month").max().alias("month"),
        *(pl.col(name).null_count().alias(f"{name}_null") for name in (*degrees, "point")),
        *(pl.col(name).min().alias(f"{name}_low") for name in degrees),
        *(pl.col(name).max().alias(f"{name}_high") for name in degrees),
    )


def _placed(rows: pl.DataFrame, surroundings: Surroundings) -> pl.DataFrame:
    """The distinct points that fit, in metres."""
    sound = places.distinct(rows).filter(places.degrees_fit("longitude_deg", "latitude_deg"))
    return places.in_metres(sound, surroundings.area_wkb)


def _judged(
    rows: pl.DataFrame,
    facts: pl.DataFrame,
    strange: Collection[str],
    placed: pl.DataFrame,
    broken: pl.DataFrame,
    surroundings: Surroundings,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Tables crime and incident (with `file`), and every fault."""
    found = [broken]
    months_fit = (pl.col("month") <= surroundings.cut_off) & (pl.col("monthless") == 0)
    if not facts.select(months_fit.all()).item():
        found.append(_wrong_months(rows, surroundings))
    if not _points_fit(facts):
        found.append(_wrong_points(rows))
    fit = without_quarantined(rows, stacked(found, FAULT_SCHEMA))
    far = placed.filter(~pl.col("inside"))["point"]
    if far.len():
        found.append(_outside(fit.filter(pl.col("point").is_in(far.implode()))))
    types = meanings([*CATEGORIES, *strange])
    asb = pl.col("crime_type") == ASB_TYPE
    narrow = fit.select("file", "point", "crime_type", *_SUPPLIED)
    with ThreadPoolExecutor(1) as pool:  # the small table beside the large one
        small = pool.submit(lambda: _as_table(narrow.filter(asb), placed, types, "incident"))
        crime = _as_table(narrow.filter(~asb), placed, types, "crime")
        return crime, small.result(), stacked(found, FAULT_SCHEMA)


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


def _points_fit(facts: pl.DataFrame) -> bool:
    """Whether all points are whole and in Great Britain; extremes tell it faster than each row."""
    nulls = [f"{name}_null" for name in ("longitude_deg", "latitude_deg", "point")]
    whole = facts.select(pl.all_horizontal(pl.col(nulls[0]) == pl.col(nulls[1:])).all()).item()
    ends = [
        places.degrees_fit(f"longitude_deg_{at}", f"latitude_deg_{at}") for at in ("low", "high")
    ]
    return bool(whole and facts.select(pl.all_horizontal(ends).fill_null(True).all()).item())


def _point_fits() -> pl.Expr:
    both = pl.col("longitude_deg").is_null() == pl.col("latitude_deg").is_null()
    return both & places.degrees_fit("longitude_deg", "latitude_deg").fill_null(True)


def _wrong_points(dated: pl.DataFrame) -> pl.DataFrame:
    half = pl.col("longitude_deg").is_null() != pl.col("latitude_deg").is_null()
    swapped = places.degrees_fit("latitude_deg", "longitude_deg")
    astray = dated.filter(~_point_fits())
    point = pl.concat_str(["longitude_deg", "latitude_deg"], separator=", ", ignore_nulls=True)
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
        pl.lit(True),
        rule="out-of-force",
        column="Longitude",
        found=pl.concat_str(["longitude_deg", "latitude_deg"], separator=", "),
        expected="a point inside the force area",
        mend="None is needed: the rows are kept, and no place inside the force counts them.",
        kept=True,
    )


def _as_table(
    rows: pl.DataFrame, placed: pl.DataFrame, types: pl.DataFrame, name: str
) -> pl.DataFrame:
    """Rows of one table with their points and meanings; only narrow columns go through joins."""
    at, meant = pl.collect_all(
        [
            rows.lazy()
            .select("point")
            .join(placed.lazy(), on="point", how="left", maintain_order="left")
            .select("easting_m", "northing_m"),
            rows.lazy()
            .select("crime_type")
            .join(types.lazy(), on="crime_type", how="left", maintain_order="left")
            .drop("crime_type"),
        ]
    )
    parts = [rows, at, meant]
    wide = pl.concat(parts, how="horizontal")
    return wide.with_columns(incident_id=pl.col("crime_id")).select(_columns(name))


def _columns(name: str) -> list[pl.Expr]:
    """`file` and the columns of a table, of which the archive gives some."""
    quality = (
        pl.when(pl.col("easting_m").is_null())
        .then(pl.lit("missing"))
        .otherwise(pl.lit("snapped"))
        .alias("location_quality")
    )
    made = {
        "location_quality": quality,
        "status": pl.lit("recorded").alias("status"),
        "qualifier": pl.lit("unknown").alias("qualifier"),
    }
    return [
        pl.col("file"),
        *(
            made[column]
            if column in made
            else pl.col(column)
            if column in (*_SUPPLIED, *_ADDED)
            else pl.lit(None, dtype=kind.dtype).alias(column)
            for column, kind in TABLES[name].columns().items()
        ),
    ]


def _result(
    spec: FeedSpec,
    files: list[Sheet],
    made: dict[str, pl.DataFrame],
    faulty: pl.DataFrame,
) -> FeedResult:
    with ThreadPoolExecutor(2) as pool:
        late = list(pool.map(lambda name: checked(made[name], name, _SHOWN), made))
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
        notices=notices(told(spec, found)),
        flagged=flagged,
    )
