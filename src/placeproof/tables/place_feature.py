"""Contract of table `place_feature`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    number,
    one_of,
    source_row,
    source_sha256,
    text,
)


class PlaceFeature(Table):
    """One row per feature and area, or per point of a feature: what is known of the ground.

    Population, deprivation, licensed premises: anything that comparison places should share with
    hot spots and that patrols cannot have changed. Values of areas are joined by the outlines that
    study.toml names under [lsoa]. Never a count of crime: that is matched on its own.
    """

    table_name: ClassVar[str] = "place_feature"
    contract_version: ClassVar[int] = 1

    feature = text("Name of the feature, as [forge] features in plan.toml calls it")
    measure = one_of(
        "How it comes to a place: level (value of the area around its centre), amount (total of "
        "that area, held against its ground: so many to the hectare) or point (added up within a "
        "distance)",
        "level",
        "amount",
        "point",
    )
    area_code = text("Area that the value is for", null="a point")
    value = number("The value; of a point, how much it counts", unit="of the feature", null="1")
    easting_m = number(
        "Easting on the British National Grid", unit="m", null="an area, or no location"
    )
    northing_m = number(
        "Northing on the British National Grid", unit="m", null="an area, or no location"
    )
    location_quality = one_of(
        "How far the point can be trusted", "exact", "snapped", "default", "missing"
    )
    edition = text("Source and year of the values")
    source_sha256 = source_sha256()
    source_row = source_row()
