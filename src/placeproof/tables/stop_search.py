"""Contract of table `stop_search`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    day,
    instant,
    number,
    one_of,
    source_row,
    source_sha256,
    text,
)


class StopSearch(Table):
    """One row per stop and search.

    Police activity, not an outcome.
    """

    table_name: ClassVar[str] = "stop_search"
    contract_version: ClassVar[int] = 1

    search_id = text("Identifier in the source", null="the source gives none", personal=True)
    at = instant("When it happened", null="not supplied")
    month = day("First day of the month (local)")

    easting_m = number(
        "Easting on the British National Grid", unit="m", null="the source gives no location"
    )
    northing_m = number(
        "Northing on the British National Grid", unit="m", null="the source gives no location"
    )
    location_quality = one_of(
        "How far the point can be trusted: exact, snapped to a published list, a default such as "
        "a police station, or missing",
        "exact",
        "snapped",
        "default",
        "missing",
    )
    lsoa_code = text(
        "Lower-layer super output area as the source gives it (2011 codes on data.police.uk)",
        null="the source gives none",
    )

    search_type = text("Person, vehicle or both", null="not supplied")
    object_of_search = text("What was looked for", null="not supplied")
    outcome = text("What came of it", null="not supplied")
    gender = text("Gender of the person", null="not supplied", personal=True)
    age_band = text("Age band of the person", null="not supplied", personal=True)
    self_defined_ethnicity = text(
        "Ethnic group as the person defines it", null="not supplied", personal=True
    )
    source_sha256 = source_sha256()
    source_row = source_row()
