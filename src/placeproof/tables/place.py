"""Contract of table `place`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    day,
    number,
    one_of,
    shape,
    text,
    whole,
)


class Place(Table):
    """One row per place that is counted: a hot spot, ring, comparison place, LSOA or the force.

    Made by Placeproof, not received. Rings never overlap each other or a hot spot: a point
    belongs to one place of each kind at most.
    """

    table_name: ClassVar[str] = "place"
    contract_version: ClassVar[int] = 1

    place_id = text("Identifier of the place", key=True)
    kind = one_of(
        "What kind of place", "hotspot", "ring", "comparison", "comparison_ring", "lsoa", "force"
    )
    group = one_of("Its part in the comparison", "treated", "comparison", "other")
    target_id = text(
        "For a ring or comparison place: the hot spot or comparison place it belongs to",
        null="belongs to none",
    )
    version = whole("Version of the outline", unit="version", low=1)
    name = text("Name that people use")
    town = text("Town or district", null="not supplied")
    ring_inner_m = number(
        "Inner distance of a ring from the outline", unit="m", null="not a ring", low=0
    )
    ring_outer_m = number(
        "Outer distance of a ring from the outline", unit="m", null="not a ring", low=0
    )
    first_treated = day("First day of hot-spot patrols (for a ring: of its hot spot)", null="never")
    treated_until = day("Last day of hot-spot patrols", null="never patrolled, or patrols go on")
    geometry = shape("Outline of the place", null="known by its code only")
    area_m2 = number("Area of the outline", unit="m2", null="known by its code only", low=0)
    centre_easting_m = number("Easting of the centroid", unit="m", null="known by its code only")
    centre_northing_m = number("Northing of the centroid", unit="m", null="known by its code only")
