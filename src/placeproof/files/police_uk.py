"""Reads archives of data.police.uk: zips or folders of monthly CSV files.

Street files become crime and incident (anti-social behaviour), stop-and-search files become
stop_search. Exact repeats of anti-social behaviour are real and are kept; so are crimes whose
identifier stands in two months. A month without a file is *not supplied*, never 0.
"""

import re

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
from placeproof.files.sheets import Sheet
from placeproof.tables import TABLES

_ASB = "anti-social-behaviour"

_SHOWN = {"month": "Month", "category": "Crime type", **SOURCE}

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
_SUPPLIED = frozenset(
    {
        *("crime_id", "incident_id", "month", "easting_m", "northing_m", "lsoa_code", "category"),
        *("violence", "weapon", "robbery", "sexual", "police_generated", "last_outcome"),
        *("source_sha256", "source_row"),
    }
)
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
    files, rows, broken = street_rows(spec, street)
    counts = rows.group_by("month", "crime_type").agg(
        pl.len().alias("rows"), pl.col("longitude_deg").null_count().alias("missing")
    )
    crime, incident, faulty = _judged(rows, counts, broken, surroundings)
    said += noticed(spec, counts, crime, _CATEGORIES) + without_rows(spec, files)
    results = [_result(spec, files, {"crime": crime, "incident": incident}, faulty, said)]
    searches = [(file.member, file.month) for file in monthly if file.kind == "stop-and-search"]
    if searches:
        from placeproof.files import stop_searches

        results.append(stop_searches.read(spec, surroundings, searches))
    return combined([*results, set_aside(spec, monthly, older)])


def _judged(
    rows: pl.DataFrame, counts: pl.DataFrame, broken: pl.DataFrame, surroundings: Surroundings
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Tables crime and incident (with `file`), and every fault."""
    found = [broken]
    if not counts.select((pl.col("month") <= surroundings.cut_off).fill_null(False).all()).item():
        found.append(_wrong_months(rows, surroundings))
    points = places.distinct(rows)
    if not points.select(_point_fits().all()).item():
        found.append(_wrong_points(rows))
    faulty = stacked(found, FAULT_SCHEMA)
    sound = points.filter(places.degrees_fit("longitude_deg", "latitude_deg"))
    placed = places.in_metres(sound, surroundings.area_wkb)
    far = placed.filter(~pl.col("inside"))
    fit = without_quarantined(rows, faulty)
    if far.height:
        outside = _outside(fit.join(far.select("point"), on="point", how="semi"))
        faulty = stacked([faulty, outside], FAULT_SCHEMA)
    described = (
        fit.lazy()
        .join(placed.lazy().drop("inside"), on="point", how="left", maintain_order="left")
        .join(_meanings(counts).lazy(), on="crime_type", how="left", maintain_order="left")
        .collect()
        .lazy()
    )
    asb = pl.col("category") == _ASB
    crime, incident = pl.collect_all(
        [
            described.filter(~asb).select(_columns("crime")),
            described.filter(asb)
            .with_columns(incident_id=pl.col("crime_id"))
            .select(_columns("incident")),
        ]
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


def _meanings(counts: pl.DataFrame) -> pl.DataFrame:
    """One row per crime type that occurs: its slug and what it says; unknown ones say nothing."""
    types = counts["crime_type"].unique().drop_nulls().sort().to_list()
    made = []
    for name in types:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "unknown"
        known = _CATEGORIES.get(name, (slug, None, None, None, None, None))
        made.append(
            {"crime_type": name, "category": known[0], **dict(zip(_FLAGS, known[1:], strict=True))}
        )
    flags = dict.fromkeys(_FLAGS, pl.Boolean())
    return pl.DataFrame(made, schema={"crime_type": pl.String(), "category": pl.String(), **flags})


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
            made.get(column)
            if column in made
            else pl.col(column)
            if column in _SUPPLIED
            else pl.lit(None, dtype=kind.dtype).alias(column)
            for column, kind in TABLES[name].columns().items()
        ),
    ]


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
