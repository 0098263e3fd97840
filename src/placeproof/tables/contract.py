"""What a contract is made of: a schema, its version, and columns that explain themselves."""

from collections.abc import Sequence
from typing import Any, ClassVar

import dataframely as dy
import polars as pl


class Table(dy.Schema):
    """Base of all contracts. The first line of a subclass's docstring says what one row is."""

    table_name: ClassVar[str]
    contract_version: ClassVar[int]


def metadata(
    *, unit: str = "", null: str = "", personal: bool = False, allowed: Sequence[str] = ()
) -> dict[str, Any]:
    """What the data dictionary says of a column beyond its type.

    `personal` columns never have their values printed in messages or quarantine reports.
    """
    return {"unit": unit, "null": null, "personal": personal, "allowed": tuple(allowed)}


def text(
    description: str,
    *,
    null: str = "",
    personal: bool = False,
    key: bool = False,
    check_not_empty: bool = True,
) -> dy.String:
    """A column of text; nullable exactly when `null` says what an absent value means."""
    return dy.String(
        nullable=bool(null),
        primary_key=key,
        min_length=1 if check_not_empty else None,
        metadata=metadata(null=null, personal=personal),
        description=description,
    )


def one_of(description: str, *allowed: str, null: str = "") -> dy.String:
    """A column of text with a closed list of values."""

    def is_allowed(column: pl.Expr) -> pl.Expr:
        return column.is_in(list(allowed))

    return dy.String(
        nullable=bool(null),
        check={"allowed": is_allowed},
        metadata=metadata(null=null, allowed=allowed),
        description=description,
    )


def number(
    description: str,
    *,
    unit: str,
    null: str = "",
    low: float | None = None,
    high: float | None = None,
    personal: bool = False,
) -> dy.Float64:
    """A column of finite numbers with a unit."""
    return dy.Float64(
        nullable=bool(null),
        min=low,
        max=high,
        metadata=metadata(unit=unit, null=null, personal=personal),
        description=description,
    )


def whole(
    description: str,
    *,
    unit: str = "count",
    null: str = "",
    low: int | None = None,
    high: int | None = None,
    key: bool = False,
    personal: bool = False,
) -> dy.Int64:
    """A column of whole numbers with a unit."""
    return dy.Int64(
        nullable=bool(null),
        primary_key=key,
        min=low,
        max=high,
        metadata=metadata(unit=unit, null=null, personal=personal),
        description=description,
    )


def instant(description: str, *, null: str = "", personal: bool = False) -> dy.Datetime:
    """A column of moments, always in UTC, to the microsecond."""
    return dy.Datetime(
        nullable=bool(null),
        time_zone="UTC",
        time_unit="us",
        metadata=metadata(unit="UTC", null=null, personal=personal),
        description=description,
    )


def day(description: str, *, null: str = "", key: bool = False) -> dy.Date:
    """A column of calendar days (local)."""
    return dy.Date(
        nullable=bool(null),
        primary_key=key,
        metadata=metadata(unit="day", null=null),
        description=description,
    )


def yes_no(description: str, *, null: str = "") -> dy.Bool:
    """A column of true and false; null where the source does not say."""
    return dy.Bool(nullable=bool(null), metadata=metadata(null=null), description=description)


def shape(description: str, *, null: str = "") -> dy.Binary:
    """A column of geometries as WKB, in metres on the British National Grid (EPSG:27700)."""
    return dy.Binary(
        nullable=bool(null),
        metadata=metadata(unit="WKB, EPSG:27700", null=null),
        description=description,
    )


def source_sha256() -> dy.String:
    """The lineage column: which file a row came from."""
    return text("SHA-256 of the file that the row came from")


def source_row() -> dy.Int64:
    """The lineage column: which row of that file, counted as a spreadsheet does (header = 1)."""
    return whole(
        "Row of that file, counted as a spreadsheet does: the header is row 1", unit="row", low=1
    )
