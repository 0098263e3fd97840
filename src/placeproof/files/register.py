"""Reads the register of hot spots: versions of outlines with their dates."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from placeproof.errors import InputError
from placeproof.files import cells, outlines
from placeproof.files.feed import FeedResult, FeedSpec, Surroundings, notice, notices, stacked
from placeproof.files.outlines import Fault
from placeproof.files.quarantine import (
    FAULT_SCHEMA,
    checked,
    counted,
    faults,
    located,
    parted,
    told,
    without_quarantined,
)
from placeproof.files.shapes import Shapes, open_shapes
from placeproof.files.sheet import STRUCTURE_SCHEMA, Sheet
from placeproof.tables import Hotspot

_EARLIEST, _LATEST = date(1990, 1, 1), date(2200, 1, 1)
_LARGE_M2 = 1_000_000.0
_SPANS = (
    ("valid_from", "valid_to"),
    ("first_treated", "treated_until"),
    ("selection_from", "selection_to"),
)
_MEND_TABLE = "Correct the attribute in the file and export it again."
_UNMAPPED = {
    "version": ("1", "every outline is taken to be version 1"),
    "kind": ("unknown", 'the kind of every place is "unknown"'),
}


def read(spec: FeedSpec, surroundings: Surroundings) -> FeedResult:
    """
    Read hot spots from files of outlines.

    Parameters
    ----------
    spec : FeedSpec
        `columns` maps hotspot_id, version, name, town, kind, valid_from, valid_to, first_treated,
        treated_until and selection_*; `crs` where the file states none; `sheet` names a layer.
    surroundings : Surroundings
        Outline of the force: a hot spot that does not touch it is not of this study.

    Returns
    -------
    FeedResult
        Table hotspot in metres, sorted by hot spot and version. Row n + 1 is feature n, as if the
        header were row 1. Outlines are never repaired: one that is not valid is in quarantine.

    Raises
    ------
    InputError
        If a file cannot be read, has no coordinate system, or lacks a mapped column.
    GeometryError
        If all outlines of a file are swapped, in the wrong unit, or abroad.
    """
    opened = [open_shapes(path, layer=spec.sheet, encoding=spec.encoding) for path in spec.paths]
    shown = [spec.shown(path) for path in spec.paths]
    sheets = [_sheet(shapes, name) for shapes, name in zip(opened, shown, strict=True)]
    said = _said_of_unmapped(spec)
    rows, broken = _attributes(spec, sheets, said)
    placed, lost = _outlined(spec, opened, shown)
    rows = rows.drop("geometry", "area_m2", "centre_easting_m", "centre_northing_m").join(
        placed, on=["file", "source_row"], how="left", maintain_order="left"
    )
    broken = [*broken, lost, *_outside(rows, surroundings), *_unreal_days(spec, rows)]
    broken += _backward(spec, rows)
    for judge in (_twice, _broken_contract, _overlapping):
        fit = without_quarantined(rows, stacked(broken, FAULT_SCHEMA))
        broken += judge(spec, fit)
    kept = without_quarantined(rows, stacked(broken, FAULT_SCHEMA))
    return _result(spec, sheets, kept, stacked(broken, FAULT_SCHEMA), said)


def _sheet(shapes: Shapes, name: str) -> Sheet:
    numbers = pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias("source_row")
    rows = shapes.attributes.select(numbers, pl.all())
    return Sheet(
        path=name,
        sha256=shapes.sha256,
        bytes=shapes.size_bytes,
        rows=rows,
        broken=pl.DataFrame(schema=STRUCTURE_SCHEMA),
        rows_in=rows.height,
        encoding=shapes.encoding.lower(),
        headers=tuple(shapes.attributes.columns),
    )


def _said_of_unmapped(spec: FeedSpec) -> list[dict[str, object]]:
    given = {*spec.columns, *spec.constants}
    lacking = [name for name in ("hotspot_id", "valid_from") if name not in given]
    if lacking:
        raise InputError(
            f"[data.{spec.name}] does not say which column is {' and which '.join(lacking)}.",
            mend=f"Map it in [data.{spec.name}.columns], or give it as a constant.",
        )
    return [
        notice(spec.name, "column-not-mapped", "note", f"No column is mapped to {name}: {meaning}.")
        for name, (_, meaning) in _UNMAPPED.items()
        if name not in given
    ]


def _attributes(
    spec: FeedSpec, sheets: Sequence[Sheet], said: list[dict[str, object]]
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Typed attributes of every feature, with `file`, and what did not fit."""
    texts = pl.concat([_mapped(spec, place, sheet) for place, sheet in enumerate(sheets)])
    read = cells.typed(spec, texts, where=", ".join(s.path for s in sheets), serial=False)
    said += read.said
    hashes = pl.Series([sheet.sha256 for sheet in sheets])
    rows = read.rows.with_columns(source_sha256=hashes.gather(read.rows["file"]))
    if not {"name", "hotspot_id"} & set(spec.constants) and "name" not in spec.columns:
        rows = rows.with_columns(name=pl.col("hotspot_id"))
    return rows, [read.broken]


def _mapped(spec: FeedSpec, place: int, sheet: Sheet) -> pl.DataFrame:
    absent = [head for head in spec.columns.values() if head not in sheet.headers]
    if absent:
        raise InputError(
            f"{sheet.path} has no column {', '.join(absent)}; it has {', '.join(sheet.headers)}.",
            mend=f"Correct the names in [data.{spec.name}.columns].",
        )
    unknown = [name for name in spec.columns if name not in Hotspot.column_names()]
    if unknown:
        raise InputError(
            f"[data.{spec.name}.columns] maps {', '.join(unknown)}, which table hotspot has not.",
            mend=f"Use {', '.join(name for name in Hotspot.column_names()[:12])}.",
        )
    defaults = [
        pl.lit(value).alias(name)
        for name, (value, _) in _UNMAPPED.items()
        if name not in spec.columns and name not in spec.constants
    ]
    return sheet.rows.select(
        pl.lit(place, dtype=pl.Int32).alias("file"),
        "source_row",
        *(pl.col(head).alias(name) for name, head in spec.columns.items()),
        *defaults,
    )


def _outlined(
    spec: FeedSpec, opened: Sequence[Shapes], shown: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Outlines in metres with their measures, and the outlines that cannot be used."""
    made, lost = [], []
    for place, (shapes, name) in enumerate(zip(opened, shown, strict=True)):
        geometries, wrong = outlines.to_british_grid(shapes, crs=spec.crs, name=name)
        rows = range(2, len(geometries) + 2)
        base = pl.DataFrame({"source_row": rows}, schema={"source_row": pl.Int64})
        file = pl.lit(place, dtype=pl.Int32).alias("file")
        made.append(base.select(file, "source_row", *outlines.measures(geometries)))
        lost += [_fault(place, row, fault) for row, fault in zip(rows, wrong, strict=True) if fault]
    return pl.concat(made), pl.DataFrame(lost, schema=FAULT_SCHEMA)


def _fault(file: int, row: int, fault: Fault) -> dict[str, object]:
    return {
        "file": file,
        "source_row": row,
        "column": "geometry",
        "rule": fault.rule.replace("_", "-"),
        "found": f"feature {row - 1}: {fault.found}",
        "expected": fault.expected,
        "mend": fault.mend,
        "kept": False,
    }


def _outside(rows: pl.DataFrame, surroundings: Surroundings) -> list[pl.DataFrame]:
    """Hot spots that do not touch the force, and those that lie in it only in part."""
    if surroundings.area_wkb is None:
        return []
    import shapely

    force = shapely.from_wkb(surroundings.area_wkb)
    shapes = _shapely(rows["geometry"])
    area = shapely.area(shapes)
    inside = np.divide(
        shapely.area(shapely.intersection(shapes, force)),
        area,
        out=np.full(len(area), np.nan),
        where=area > 0,
    )
    judged = rows.with_columns(inside=pl.Series(inside, dtype=pl.Float64).fill_nan(None))
    share = pl.format("{} % of it inside", (pl.col("inside") * 100).round(0).cast(pl.Int64))
    common = {"column": "geometry", "found": share, "expected": "a place inside the force area"}
    mend = "Check the coordinate system, or leave the place out of the register."
    within = pl.col("inside") >= 1 - 1e-9
    return [
        faults(judged, pl.col("inside") == 0, rule="outside-force", mend=mend, **common),  # type: ignore[arg-type]
        faults(
            judged,
            (pl.col("inside") > 0) & ~within,
            rule="partly-outside-force",
            mend="None is needed if the place lies on the border of the force.",
            kept=True,
            **common,  # type: ignore[arg-type]
        ),
    ]


def _shapely(wkb: pl.Series) -> NDArray[np.object_]:
    from placeproof import geometry

    return geometry.outlines(wkb)


def _unreal_days(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Year 0 and its like: mapping programs write them for "no date"."""
    return [
        faults(
            rows,
            ~pl.col(name).is_between(_EARLIEST, _LATEST),
            rule="wrong-date",
            column=cells.header(spec, name),
            found=pl.col(name),
            expected=f"a day between {_EARLIEST} and {_LATEST}, or none",
            mend=_MEND_TABLE,
        )
        for span in _SPANS
        for name in span
    ]


def _backward(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    return [
        faults(
            rows,
            pl.col(last) < pl.col(first),
            rule="end-before-start",
            column=cells.header(spec, last),
            found=pl.format("{} before {}", last, first),
            expected=f"a day on or after {cells.header(spec, first)}",
            mend=_MEND_TABLE,
        )
        for first, last in _SPANS
    ]


def _twice(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Of exact repeats the first is kept; where two differ nobody can say which is meant."""
    content = [name for name in Hotspot.column_names() if not name.startswith("source_")]
    key = ["hotspot_id", "version"]
    judged = rows.with_columns(
        alike=pl.struct(content).n_unique().over(key) == 1,
        many=(pl.len().over(key) > 1) & pl.all_horizontal(pl.col(key).is_not_null()),
        first=pl.int_range(pl.len()).over(key) == 0,
    )
    found = pl.format("{}, version {}", *key)
    column = cells.header(spec, "hotspot_id")
    return [
        faults(
            judged,
            pl.col("many") & pl.col("alike") & ~pl.col("first"),
            rule="duplicate-id",
            column=column,
            found=found,
            expected="each version once",
            mend="None is needed: the first of the equal features is kept.",
        ),
        faults(
            judged,
            pl.col("many") & ~pl.col("alike"),
            rule="duplicate-id",
            column=column,
            found=found,
            expected="each version once; these features differ, so none is kept",
            mend="Give each outline its own version, with its own dates.",
        ),
    ]


def _broken_contract(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    return [checked(rows, "hotspot", dict(spec.columns))]


def _overlapping(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Versions that begin before an earlier one has ended: the later one is left out."""
    ordered = rows.sort("hotspot_id", "valid_from", "version", "source_sha256", "source_row")
    until: dict[str, date] = {}
    begins_early = []
    for spot, first, last in ordered.select("hotspot_id", "valid_from", "valid_to").iter_rows():
        early = spot in until and first <= until[spot]
        begins_early.append(early)
        if not early:
            until[spot] = last or date.max
    return [
        faults(
            ordered.with_columns(early=pl.Series(begins_early, dtype=pl.Boolean)),
            pl.col("early"),
            rule="versions-overlap",
            column=cells.header(spec, "valid_from"),
            found=pl.format("{}, version {} from {}", "hotspot_id", "version", "valid_from"),
            expected="a first day after the last day (valid_to) of the version before",
            mend="Give the version before it a last day, and export the register again.",
        )
    ]


def _result(
    spec: FeedSpec,
    sheets: Sequence[Sheet],
    kept: pl.DataFrame,
    broken: pl.DataFrame,
    said: list[dict[str, object]],
) -> FeedResult:
    found = located(spec, broken, sheets)
    quarantine, flagged = parted(found)
    # A register has no months of its own.
    counts = kept.select("file", month=pl.lit(None, dtype=pl.Date))
    receipts = counted(spec, sheets, table="hotspot", kept=counts, broken=broken)
    table = kept.select(Hotspot.column_names()).sort("hotspot_id", "version")
    said = [*said, *_said_of_places(spec, table), *told(spec, found)]
    if table.is_empty():
        text = f"[data.{spec.name}]: not one hot spot could be kept."
        said.append(notice(spec.name, "nothing-kept", "error", text, mend="See the quarantine."))
    return FeedResult(
        tables={"hotspot": Hotspot.validate(table)},
        quarantine=quarantine,
        receipts=receipts,
        notices=notices(said),
        flagged=flagged,
    )


def _said_of_places(spec: FeedSpec, table: pl.DataFrame) -> list[dict[str, object]]:
    said = []
    large = table.filter(pl.col("area_m2") > _LARGE_M2)
    if large.height:
        names = ", ".join(large["hotspot_id"].head(5))
        text = f"{large.height} hot spots are larger than 1 km²: {names}."
        said.append(notice(spec.name, "large-place", "warning", text, rows=large.height))
    pairs = _pairs_on_one_ground(table)
    if pairs:
        text = f"{len(pairs)} pairs of hot spots overlap on the ground at one time: " + ", ".join(
            f"{one} and {other}" for one, other in pairs[:5]
        )
        mend = "Redraw them, or accept that a point in both counts for one of them only."
        said.append(notice(spec.name, "places-overlap", "warning", text + ".", mend=mend))
    return said


def _pairs_on_one_ground(table: pl.DataFrame) -> list[tuple[str, str]]:
    import shapely

    shapes = _shapely(table["geometry"])
    rows = table.select("hotspot_id", "valid_from", "valid_to").rows()
    pairs = set()
    for at, other in shapely.STRtree(shapes).query(shapes, predicate="intersects").T.tolist():
        one, two = rows[at], rows[other]
        together = one[1] <= (two[2] or date.max) and two[1] <= (one[2] or date.max)
        # Neighbours that share an edge meet without sharing ground.
        if one[0] < two[0] and together and shapes[at].intersection(shapes[other]).area > 1.0:
            pairs.add((one[0], two[0]))
    return sorted(pairs)
