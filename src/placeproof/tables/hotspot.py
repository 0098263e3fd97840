"""Contract of table `hotspot`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    day,
    number,
    one_of,
    shape,
    source_row,
    source_sha256,
    text,
    whole,
)


class Hotspot(Table):
    """One row per version of a hot spot.

    Hand-drawn and re-drawn: a new version has its own dates and never changes an earlier
    result. Two versions of one hot spot never overlap in time.
    """

    table_name: ClassVar[str] = "hotspot"
    contract_version: ClassVar[int] = 1

    hotspot_id = text("Identifier of the hot spot, the same in all its versions", key=True)
    version = whole("Version of the outline, from 1", unit="version", low=1, key=True)
    name = text("Name that people use")
    town = text("Town or district", null="not supplied")
    kind = one_of(
        "What kind of place it mainly is",
        "nte",
        "retail",
        "residential",
        "transport",
        "other",
        "unknown",
    )
    valid_from = day("First day on which this version held")
    valid_to = day("Last day on which this version held", null="still valid")
    first_treated = day(
        "First day of hot-spot patrols in this hot spot", null="never patrolled, or not known yet"
    )
    treated_until = day("Last day of hot-spot patrols in this hot spot", null="patrols go on")
    selection_rule = text("How it was chosen", null="not supplied")
    selection_from = day("First day of the data it was chosen on", null="not supplied")
    selection_to = day("Last day of the data it was chosen on", null="not supplied")
    geometry = shape("Outline of the place")
    area_m2 = number("Area of the outline", unit="m2", low=0)
    centre_easting_m = number("Easting of the centroid", unit="m")
    centre_northing_m = number("Northing of the centroid", unit="m")
    source_sha256 = source_sha256()
    source_row = source_row()
