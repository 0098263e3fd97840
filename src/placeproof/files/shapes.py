"""Opens files of outlines and brings every outline to metres, each with what is wrong with it."""

import hashlib
import json
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from placeproof.errors import InputError

ENDINGS = (".geojson", ".json", ".gpkg", ".shp", ".tab", ".kml")
_DRIVERS = {
    ".geojson": ("GeoJSON",),
    ".json": ("GeoJSON",),
    ".gpkg": ("GPKG",),
    ".shp": ("ESRI Shapefile",),
    ".tab": ("MapInfo File",),
    ".kml": ("LIBKML", "KML"),
}
_SIBLINGS = {".shp": (".shx", ".dbf"), ".tab": (".dat", ".map", ".id")}
_ALSO_HASHED = {".shp": (".shx", ".dbf", ".prj", ".cpg"), ".tab": (".dat", ".map", ".id")}
_CP1252_MARKS = (0x03, 0x57)  # language driver ids of a dBASE file that mean Windows ANSI
_LARGEST_ARCHIVE_BYTES = 4 * 2**30


@dataclass(frozen=True)
class Shapes:
    """
    The features of one file, as the file states them.

    Parameters
    ----------
    path : Path
        The file.
    sha256 : str
        Hash of the file, with its siblings for a Shapefile or MapInfo TAB.
    size_bytes : int
        Bytes of the file and those siblings.
    encoding : str
        Encoding in which names were read.
    crs : str or None
        Coordinate system that the file states; None where it states none.
    crs_by_standard : bool
        The file states none and its format has a fixed one (GeoJSON, KML: WGS84).
    attributes : DataFrame
        One row per feature in the order of the file, every column as text, headers as in the file.
    geometries : array of object
        One shapely geometry per feature in that order, two-dimensional; None where there is none.
    """

    path: Path
    sha256: str
    size_bytes: int
    encoding: str
    crs: str | None
    crs_by_standard: bool
    attributes: pl.DataFrame
    geometries: NDArray[np.object_]


def open_shapes(path: Path, *, layer: str | None, encoding: str | None) -> Shapes:
    """
    Read every feature of a file of outlines.

    Parameters
    ----------
    path : Path
        GeoJSON, GeoPackage, Shapefile, MapInfo TAB or KML, or a zip that holds one of them.
    layer : str or None
        Layer to read; None where the file has only one.
    encoding : str or None
        Encoding of the names; None: as the file states.

    Returns
    -------
    Shapes
        Features in the order of the file. The file is not changed.

    Raises
    ------
    InputError
        If the file is missing, empty, not what its ending says, lacks a sibling, holds several
        layers and none is named, has no features, or states no encoding for its letters.
    """
    if not path.is_file():
        raise InputError(
            f"{path.name}: there is no such file.", mend="Check the name and the folder."
        )
    if path.stat().st_size == 0:
        raise InputError(f"{path.name} is empty (0 bytes).", mend="Export it again.")
    ending = path.suffix.lower()
    if ending == ".zip":
        return _open_zip(path, layer=layer, encoding=encoding)
    if ending not in _DRIVERS:
        raise InputError(
            f"{path.name}: {ending or 'no ending'} is not a known file of outlines.",
            mend=f"Export the outlines as one of {', '.join(ENDINGS)}, or a zip of it.",
        )
    members = _members(path, ending)
    _check_kind(path.name, ending, members[ending].read_bytes())
    if ending == ".shp":
        encoding = _dbf_encoding(path.name, members, encoding)
    by_standard = ending == ".kml" or (ending in (".geojson", ".json") and not _names_crs(path))
    crs, table, geometries, read_as = _read_arrow(
        str(path), path.name, ending, layer=layer, encoding=encoding
    )
    return Shapes(
        path=path,
        sha256=_digest(members),
        size_bytes=sum(member.stat().st_size for member in members.values()),
        encoding=read_as,
        crs=crs,
        crs_by_standard=by_standard,
        attributes=table,
        geometries=geometries,
    )


def _members(path: Path, ending: str) -> dict[str, Path]:
    """The file and the siblings that belong to it, by their ending in lower case."""
    beside = {
        other.suffix.lower(): other
        for other in sorted(path.parent.iterdir())
        if other.stem.lower() == path.stem.lower()
    }
    lacking = [suffix for suffix in _SIBLINGS.get(ending, ()) if suffix not in beside]
    if lacking:
        wanted = ", ".join(path.stem + suffix for suffix in lacking)
        raise InputError(
            f"{path.name}: {wanted} is missing beside it; the format is made of several files.",
            mend=f"Copy every {path.stem}.* file of the export into the same folder.",
        )
    also = _ALSO_HASHED.get(ending, ())
    return {ending: path} | {suffix: beside[suffix] for suffix in also if suffix in beside}


def _digest(members: Mapping[str, Path]) -> str:
    if len(members) == 1:
        (only,) = members.values()
        return hashlib.sha256(only.read_bytes()).hexdigest()
    digest = hashlib.sha256()
    for suffix in sorted(members):
        data = members[suffix].read_bytes()
        digest.update(f"{suffix}:{len(data)}\n".encode() + data)
    return digest.hexdigest()


def _check_kind(name: str, ending: str, data: bytes) -> None:
    """Refuse a file that is not what its ending says, before any other program opens it."""
    found = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    is_kind = {
        ".gpkg": data.startswith(b"SQLite format 3\x00"),
        ".shp": data.startswith(b"\x00\x00\x27\x0a"),
        ".tab": found.lower().startswith(b"!table"),
        ".kml": found.startswith(b"<") and b"<kml" in data[:65536],
        ".geojson": found.startswith(b"{"),
        ".json": found.startswith(b"{"),
    }[ending]
    if not is_kind:
        raise InputError(
            f"{name} is not a {ending} file, whatever its name says.",
            mend="Export it again, or give it the ending of what it is.",
        )
    if ending == ".kml" and b"<!DOCTYPE" in data:
        raise InputError(
            f"{name} declares a document type, which a KML file has no need of.",
            mend="Export it again without one.",
        )
    if ending in (".geojson", ".json"):
        _check_geojson(name, data)


def _check_geojson(name: str, data: bytes) -> None:
    try:
        content = json.loads(data)
    except UnicodeDecodeError as failure:
        raise InputError(
            f"{name}: byte {failure.start} is not UTF-8, which GeoJSON must be.",
            mend="Save it as UTF-8.",
        ) from None
    except (ValueError, RecursionError) as failure:
        raise InputError(
            f"{name} is not whole JSON: {failure}.", mend="Export it again; it may be cut off."
        ) from None
    kind = content.get("type")
    if kind not in ("FeatureCollection", "Feature"):
        raise InputError(
            f'{name}: "type" is {str(kind)[:40]!r}, not "FeatureCollection".',
            mend="Export the outlines as a GeoJSON FeatureCollection.",
        )
    if kind == "FeatureCollection" and not isinstance(content.get("features"), list):
        raise InputError(f"{name} has no list of features.", mend="Export it again.")


def _names_crs(path: Path) -> bool:
    return bool(json.loads(path.read_bytes()).get("crs"))


def _dbf_encoding(name: str, members: Mapping[str, Path], stated: str | None) -> str | None:
    """A Shapefile without .cpg says in which letters it is written only by one byte, or not."""
    if stated or ".cpg" in members:
        return stated
    data = members[".dbf"].read_bytes()
    if data.isascii() or data[29:30] == b"":
        return "utf-8"
    if data[29] in _CP1252_MARKS:
        return "cp1252"
    header_bytes = int.from_bytes(data[8:10], "little")
    try:
        data[header_bytes:].decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(
            f"{name} holds letters outside ASCII and has no .cpg file that says how to read them.",
            mend='Set encoding in study.toml; exports from Windows are most often "cp1252".',
        ) from None
    return "utf-8"


def _read_arrow(
    opened: str, name: str, ending: str, *, layer: str | None, encoding: str | None
) -> tuple[str | None, pl.DataFrame, NDArray[np.object_], str]:
    import pyogrio
    from pyarrow import ArrowInvalid

    try:
        with warnings.catch_warnings():
            # What the library murmurs about a damaged file is said below in our own words.
            warnings.simplefilter("ignore", RuntimeWarning)
            layer = _one_layer(pyogrio.list_layers(opened), name, layer)
            driver = pyogrio.read_info(opened, layer=layer, encoding=encoding)["driver"]
            if driver not in _DRIVERS[ending]:
                raise InputError(f"{name} is not a {ending} file.", mend="Export it again.")
            facts, table = pyogrio.read_arrow(opened, layer=layer, encoding=encoding)
            table.validate(full=True)  # GDAL hands on letters that are not UTF-8 unseen
    except (UnicodeDecodeError, ArrowInvalid):
        raise InputError(
            f"{name}: its letters are not {encoding or 'what it states'}.",
            mend='Set encoding in study.toml; exports from Windows are most often "cp1252".',
        ) from None
    except LookupError:
        raise InputError(
            f"{name}: there is no encoding {encoding}.", mend='Use "utf-8" or "cp1252".'
        ) from None
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as failure:
        raise InputError(
            f"{name} cannot be read: {str(failure).splitlines()[0][:200]}",
            mend="Open it in a mapping program and export it again.",
        ) from None
    if table.num_rows == 0:
        raise InputError(f"{name} has no features.", mend="Export the outlines again.")
    column = facts["geometry_name"] or "wkb_geometry"
    shapes = _geometries(table.column(column).to_pylist() if column in table.schema.names else [])
    attributes = table.drop_columns([column]) if column in table.schema.names else table
    if not len(shapes):
        shapes = np.full(table.num_rows, None, dtype=object)
    return facts["crs"], _as_text(attributes), shapes, encoding or facts["encoding"] or "utf-8"


def _one_layer(layers: NDArray[Any], name: str, wanted: str | None) -> str:
    names = [str(layer) for layer, kind in layers if kind is not None]
    if wanted is not None:
        if wanted in names:
            return wanted
        raise InputError(
            f'{name} has no layer "{wanted}"; it has {", ".join(names) or "none with outlines"}.',
            mend="Name one of them as sheet in study.toml.",
        )
    if len(names) != 1:
        raise InputError(
            f"{name} has {len(names)} layers with outlines: {', '.join(names) or 'none'}.",
            mend="Name the one to read as sheet in study.toml.",
        )
    return names[0]


def _geometries(wkb: list[bytes | None]) -> NDArray[np.object_]:
    import shapely

    with np.errstate(invalid="ignore"):  # a corner that is no number is named later, by feature
        read = shapely.from_wkb(np.array(wkb, dtype=object), on_invalid="ignore")
    return shapely.force_2d(np.asarray(read, dtype=object))


def _as_text(table: Any) -> pl.DataFrame:
    """Attributes as text, so that they meet the same mapping as a table of text would."""
    if not table.schema.names:
        return pl.DataFrame({"feature": [str(n + 1) for n in range(table.num_rows)]})
    frame = pl.DataFrame(pl.from_arrow(table.replace_schema_metadata(None)))
    return frame.select(_text(frame[name]) for name in frame.columns)


def _text(values: pl.Series) -> pl.Series:
    if values.dtype == pl.Datetime:
        # Mapping programs store a day as midnight; any other time of day stays in sight.
        times = values.drop_nulls().dt.time()
        is_day = bool((times.cast(pl.Int64) == 0).all())
        return (values.dt.date() if is_day else values).cast(pl.String)
    if values.dtype.is_float():
        whole = values.drop_nulls().is_finite().all() and (values.drop_nulls() % 1 == 0).all()
        return (values.cast(pl.Int64, strict=False) if whole else values).cast(pl.String)
    if values.dtype == pl.Boolean:
        return values.cast(pl.String)
    if values.dtype.is_nested() or values.dtype == pl.Binary:
        return pl.Series(values.name, [None] * len(values), dtype=pl.String)
    return values.cast(pl.String, strict=False)


def _open_zip(path: Path, *, layer: str | None, encoding: str | None) -> Shapes:
    with _unpacked(path) as inner:
        shapes = open_shapes(inner, layer=layer, encoding=encoding)
    return Shapes(
        path=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        size_bytes=path.stat().st_size,
        encoding=shapes.encoding,
        crs=shapes.crs,
        crs_by_standard=shapes.crs_by_standard,
        attributes=shapes.attributes,
        geometries=shapes.geometries,
    )


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """The one file of outlines in a zip, unpacked with its siblings into a passing folder."""
    import tempfile

    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError):
        raise InputError(
            f"{path.name} is not a whole zip file.", mend="Copy it again; it may be cut off."
        ) from None
    with archive, tempfile.TemporaryDirectory() as folder:
        inside = [
            info
            for info in archive.infolist()
            if not info.is_dir() and not info.filename.startswith("__MACOSX/")
        ]
        found = [i for i in inside if PurePosixPath(i.filename).suffix.lower() in _DRIVERS]
        if len(found) != 1:
            names = ", ".join(sorted(info.filename for info in found)[:5]) or "none"
            raise InputError(
                f"{path.name} holds {len(found)} files of outlines: {names}.",
                mend="Give a zip that holds one, or unpack it and name the file.",
            )
        main = PurePosixPath(found[0].filename)
        wanted = [
            info
            for info in inside
            if PurePosixPath(info.filename).parent == main.parent
            and PurePosixPath(info.filename).stem.lower() == main.stem.lower()
        ]
        if sum(info.file_size for info in wanted) > _LARGEST_ARCHIVE_BYTES:
            raise InputError(f"{path.name} unpacks to more than 4 GB.", mend="Unpack it first.")
        try:
            for info in wanted:
                # Only the last part of the name is used: a member may not choose its folder.
                target = Path(folder) / PurePosixPath(info.filename).name
                target.write_bytes(archive.read(info))
        except (RuntimeError, zipfile.BadZipFile, zlib.error, NotImplementedError, OSError):
            raise InputError(
                f"{path.name} cannot be unpacked: damaged, or protected by a password.",
                mend="Unpack it yourself and name the file inside.",
            ) from None
        yield Path(folder) / main.name
