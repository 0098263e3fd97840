"""Coordinates of mapped feeds: which system, swapped, missing, a default, or out of the force."""

from pathlib import Path

import numpy as np
import polars as pl
import shapely

from placeproof.errors import GeometryError, InputError, SettingsError
from placeproof.files import cells, places, sheets
from placeproof.files.cells import header
from placeproof.files.feed import FeedSpec, Surroundings, notice, stacked
from placeproof.files.quarantine import FAULT_SCHEMA, faults
from placeproof.files.sheet import Sheet

DEGREES = ("longitude_deg", "latitude_deg")
METRES = ("easting_m", "northing_m")
GRID, WORLD = "EPSG:27700", "EPSG:4326"

CROWDED_SHARE = 0.01
"""A single exact point with this share of all located rows is noticed as a likely default."""
CROWDED_ROWS = 30

_SWAP = "Swap the two columns in [data.{}.columns], or correct the rows."
_CHECK_CRS = "Set crs for this feed to the system of the source, or correct the rows."


def placed(
    spec: FeedSpec,
    surroundings: Surroundings,
    texts: pl.DataFrame,
    rows: pl.DataFrame,
    *,
    where: str,
) -> cells.Typed:
    """
    Give rows their point in metres and say how far it can be trusted.

    Parameters
    ----------
    spec : FeedSpec
        `crs`, and the columns that hold coordinates.
    surroundings : Surroundings
        Force outline.
    texts : DataFrame
        Rows as text.
    rows : DataFrame
        The same rows, typed.
    where : str
        The files, for messages.

    Returns
    -------
    Typed
        Rows with `easting_m`, `northing_m` and `location_quality`.

    Raises
    ------
    GeometryError
        If most points of the feed are of another system than `crs`.
    SettingsError
        If `crs` is none of the two known.
    """
    given = _pair(spec, texts)
    if given is None:
        quality = pl.coalesce("location_quality", pl.lit("missing"))
        return cells.Typed(rows.with_columns(quality), _none(), [])
    system = _system(spec, given)
    read = [cells.numbers(spec, texts, name) for name in given]
    points = rows.select("file", "source_row").with_columns(
        read[0].rows[given[0]].alias("x"), read[1].rows[given[1]].alias("y")
    )
    half = pl.col("x").is_null() != pl.col("y").is_null()
    nowhere = half | ((pl.col("x") == 0) & (pl.col("y") == 0))
    judged = _judged(
        spec, surroundings, points.with_columns(nowhere=nowhere.fill_null(False)), system
    )
    _refuse_wrong_system(spec, judged, system, where)
    broken = [one.broken for one in read] + [_astray(spec, judged, given, system)]
    metres = _in_metres(judged, system, surroundings.area_wkb)
    default, default_said = _at_defaults(spec, metres)
    point_known = pl.col("easting_m").is_not_null()
    located = rows.drop(*METRES).with_columns(
        metres["easting_m"], metres["northing_m"], default.alias("default")
    )
    quality = (
        pl.when(~point_known)
        .then(pl.lit("missing"))
        .when("default")
        .then(pl.lit("default"))
        .otherwise(pl.coalesce("location_quality", pl.lit("exact")))
    )
    finished = located.with_columns(quality.alias("location_quality")).drop("default")
    broken += [_outside(spec, metres, given), _defaults(spec, metres, default, given)]
    said = [*default_said, *_crowded(spec, finished)]
    return cells.Typed(finished, stacked(broken, FAULT_SCHEMA), said)


def _none() -> pl.DataFrame:
    return pl.DataFrame(schema=FAULT_SCHEMA)


def _pair(spec: FeedSpec, texts: pl.DataFrame) -> tuple[str, str] | None:
    for pair in (DEGREES, METRES):
        there = [name for name in pair if name in texts.columns]
        if len(there) == 1:
            raise InputError(
                f"[data.{spec.name}.columns] maps {there[0]} without its other half.",
                mend=f"Map both {pair[0]} and {pair[1]}.",
            )
        if there:
            return pair
    return None


def _system(spec: FeedSpec, given: tuple[str, str]) -> str:
    if spec.crs is None:
        return WORLD if given == DEGREES else GRID
    if spec.crs.upper() not in (GRID, WORLD):
        raise SettingsError(
            f'[data.{spec.name}] crs = "{spec.crs}" is not supported for points.',
            mend=f'Use "{GRID}" (metres) or "{WORLD}" (degrees).',
        )
    return spec.crs.upper()


def _fits(system: str, x: str, y: str) -> pl.Expr:
    return places.metres_fit(x, y) if system == GRID else places.degrees_fit(x, y)


def _judged(
    spec: FeedSpec, surroundings: Surroundings, points: pl.DataFrame, system: str
) -> pl.DataFrame:
    """Points with `wrong`: null (fits), swapped-coordinates, wrong-crs or impossible-point."""
    other = WORLD if system == GRID else GRID
    box = _box(surroundings, points, system)
    fits, swapped_fits = _fits(system, "x", "y"), _fits(system, "y", "x")
    home, swapped_home = _in_box("x", "y", box), _in_box("y", "x", box)
    swapped = swapped_fits & swapped_home & ~(fits & home)
    of_other = ~fits & (_fits(other, "x", "y") | _fits(other, "y", "x"))
    located = pl.col("x").is_not_null() & pl.col("y").is_not_null() & ~pl.col("nowhere")
    wrong = (
        pl.when(~located)
        .then(None)
        .when(swapped)
        .then(pl.lit("swapped-coordinates"))
        .when(of_other)
        .then(pl.lit("wrong-crs"))
        .when(~fits)
        .then(pl.lit("impossible-point"))
    )
    return points.with_columns(wrong=wrong, located=located)


def _in_box(x: str, y: str, box: tuple[float, float, float, float]) -> pl.Expr:
    return pl.col(x).is_between(box[0], box[2]) & pl.col(y).is_between(box[1], box[3])


def _box(
    surroundings: Surroundings, points: pl.DataFrame, system: str
) -> tuple[float, float, float, float]:
    """Where most points should lie: the force's box, else that of the middle of the points."""
    if surroundings.area_wkb is not None:
        box = shapely.from_wkb(surroundings.area_wkb).bounds
        if system == GRID:
            return box
        from placeproof import geometry

        corners = geometry.to_degrees(
            np.array([box[0], box[2], box[0], box[2]]), np.array([box[1], box[3], box[3], box[1]])
        )
        return (corners[0].min(), corners[1].min(), corners[0].max(), corners[1].max())
    known = points.filter(_fits(system, "x", "y") & ~pl.col("nowhere"))
    if known.is_empty():
        return (-np.inf, -np.inf, np.inf, np.inf)
    low, high = known.quantile(0.05), known.quantile(0.95)
    ends = [low["x"].item(), low["y"].item(), high["x"].item(), high["y"].item()]
    margin = max(ends[2] - ends[0], ends[3] - ends[1]) / 2
    return (ends[0] - margin, ends[1] - margin, ends[2] + margin, ends[3] + margin)


def _refuse_wrong_system(spec: FeedSpec, judged: pl.DataFrame, system: str, where: str) -> None:
    located = judged.filter("located")
    for rule, mend in (
        ("wrong-crs", f'Set crs = "{WORLD if system == GRID else GRID}" for this feed.'),
        ("swapped-coordinates", _SWAP.format(spec.name)),
    ):
        bad = located.filter(pl.col("wrong") == rule)
        if located.height and bad.height > located.height / 2:
            raise GeometryError(
                f"{where}: {bad.height} of {located.height} points do not fit {system} ({rule}), "
                f"the first in row {bad['source_row'][0]}.",
                mend=mend,
            )


def _point(x: str = "x", y: str = "y") -> pl.Expr:
    return pl.concat_str([x, y], separator=", ", ignore_nulls=True)


def _astray(
    spec: FeedSpec, judged: pl.DataFrame, given: tuple[str, str], system: str
) -> pl.DataFrame:
    right = "metres on the British National Grid" if system == GRID else "degrees in Great Britain"
    cases = (
        ("swapped-coordinates", "the two coordinates the other way round", _SWAP.format(spec.name)),
        ("wrong-crs", right, _CHECK_CRS),
        ("impossible-point", right, "Correct the point in the source, or blank it."),
    )
    made = [
        faults(
            judged,
            pl.col("wrong") == rule,
            rule=rule,
            column=header(spec, given[0]),
            found=_point(),
            expected=expected,
            mend=mend,
        )
        for rule, expected, mend in cases
    ]
    made.append(
        faults(
            judged,
            pl.col("nowhere"),
            rule="no-point",
            column=header(spec, given[0]),
            found=_point(),
            expected="both coordinates, or none; 0, 0 lies in the sea",
            mend="None is needed: the row is kept without a location.",
            kept=True,
        )
    )
    return stacked(made, FAULT_SCHEMA)


def _in_metres(judged: pl.DataFrame, system: str, area_wkb: bytes | None) -> pl.DataFrame:
    usable = pl.col("located") & pl.col("wrong").is_null()
    x, y = (pl.when(usable).then(pl.col(name)) for name in ("x", "y"))
    if system == WORLD:
        degrees = judged.with_columns(x.alias(DEGREES[0]), y.alias(DEGREES[1]))
        keyed = degrees.with_columns(places.step(*DEGREES).alias("point"))
        points = places.distinct(keyed)
        placed = places.in_metres(points, area_wkb)
        return keyed.join(placed, on="point", how="left", maintain_order="left").drop("point")
    metres = judged.with_columns(x.alias(METRES[0]), y.alias(METRES[1]))
    return metres.with_columns(places.inside_area(metres, area_wkb))


def _outside(spec: FeedSpec, metres: pl.DataFrame, given: tuple[str, str]) -> pl.DataFrame:
    return faults(
        metres,
        ~pl.col("inside"),
        rule="out-of-force",
        column=header(spec, given[0]),
        found=_point(),
        expected="a point inside the force area",
        mend="None is needed: the rows are kept, and no place inside the force counts them.",
        kept=True,
    )


def default_locations(path: Path, *, shown: str) -> tuple[Sheet, pl.DataFrame]:
    """
    Read a table of points that stand for "location not known".

    Parameters
    ----------
    path : Path
        CSV with name, easting_m, northing_m and radius_m.
    shown : str
        Its name for messages.

    Raises
    ------
    InputError
        If a column is absent or a number is none.
    """
    read = sheets.sheet(path, shown=shown)
    wanted = ("name", "easting_m", "northing_m", "radius_m")
    if absent := [name for name in wanted if name not in read.headers]:
        raise InputError(
            f"{shown} has no column {', '.join(absent)}.",
            mend="Give it the columns name, easting_m, northing_m, radius_m.",
        )
    numbers = read.rows.select(
        "name", *(pl.col(name).cast(pl.Float64, strict=False) for name in wanted[1:])
    )
    sound = pl.all_horizontal(
        pl.col("name").is_not_null(),
        *(pl.col(name).is_finite().fill_null(False) for name in wanted[1:]),
    )
    if not numbers.select(sound.all()).item():
        row = read.rows["source_row"][numbers.select(sound.arg_min()).item()]
        raise InputError(
            f"{shown}, row {row}: the name or a number is blank or no number.",
            mend="Fill every cell.",
        )
    return read, numbers


def _at_defaults(spec: FeedSpec, metres: pl.DataFrame) -> tuple[pl.Series, list[dict[str, object]]]:
    nobody = pl.repeat(False, metres.height, dtype=pl.Boolean, eager=True)
    if spec.default_locations is None:
        return nobody, []
    shown = spec.shown(spec.default_locations)
    _, table = default_locations(spec.default_locations, shown=shown)
    said = []
    for row in table.iter_rows(named=True):
        east, north = (
            pl.col("easting_m") - row["easting_m"],
            pl.col("northing_m") - row["northing_m"],
        )
        near = metres.select(
            (east**2 + north**2 <= row["radius_m"] ** 2).fill_null(False)
        ).to_series()
        nobody = nobody | near
        if near.any():
            text = f"{near.sum()} rows stand at the default location {row['name']} ({shown})."
            said.append(notice(spec.name, "default-location", "note", text, rows=int(near.sum())))
    return nobody, said


def _defaults(
    spec: FeedSpec, metres: pl.DataFrame, default: pl.Series, given: tuple[str, str]
) -> pl.DataFrame:
    return faults(
        metres.filter(default),
        pl.lit(True),
        rule="default-geocode",
        column=header(spec, given[0]),
        found=_point(),
        expected="where it happened: this point stands for a police station or the like",
        mend="None is needed: the row is kept as location_quality default.",
        kept=True,
    )


def _crowded(spec: FeedSpec, rows: pl.DataFrame) -> list[dict[str, object]]:
    """Exact points that hold far more rows than a place can: perhaps defaults nobody listed."""
    exact = rows.filter(pl.col("location_quality") == "exact")
    enough = max(CROWDED_ROWS, CROWDED_SHARE * exact.height)
    piles = exact.group_by(METRES).agg(pl.len(), pl.col("source_row").min())
    found = piles.filter(pl.col("len") >= enough).sort(
        ["len", *METRES], descending=[True, False, False]
    )
    return [
        notice(
            spec.name,
            "default-geocode",
            "warning",
            f"{row['len']} rows ({row['len'] / exact.height:.1%} of those located) stand at one "
            f"point, {row['easting_m']:.0f}, {row['northing_m']:.0f} (the first in row "
            f"{row['source_row']}): it may be a default such as a police station.",
            mend="If it is, add it to the table named in default_locations.",
            rows=row["len"],
        )
        for row in found.head(10).iter_rows(named=True)
    ]
