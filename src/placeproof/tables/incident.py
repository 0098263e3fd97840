"""Contract of table `incident`."""

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


class Incident(Table):
    """One row per incident of anti-social behaviour.

    Incidents fall when low-level public order is re-classified and the other way round. On
    data.police.uk they carry no identifier and exact repeats are real: never de-duplicated.
    """

    table_name: ClassVar[str] = "incident"
    contract_version: ClassVar[int] = 1

    incident_id = text("Identifier in the source", null="the source gives none", personal=True)
    month = day("First day of the month in which it was reported (local)")
    reported_at = instant("When it was reported", null="only the month is known")

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

    category = text("Category in the source's own words or slug")
    qualifier = one_of(
        "What kind of anti-social behaviour", "personal", "nuisance", "environmental", "unknown"
    )
    caller_id = text("Pseudonym of the caller", null="not supplied", personal=True)
    duplicate_of = text(
        "Identifier of the incident that this one repeats",
        null="not linked as a duplicate",
        personal=True,
    )
    status = one_of("Whether it still stands", "recorded", "cancelled", "transferred")
    extract_date = day("Day on which the source made the extract", null="the source does not say")
    source_sha256 = source_sha256()
    source_row = source_row()
