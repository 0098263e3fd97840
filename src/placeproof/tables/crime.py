"""Contract of table `crime`."""

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
    whole,
    yes_no,
)


class Crime(Table):
    """One row per recorded crime, in its latest version.

    Recorded crime follows recording rules as well as behaviour. Public data give the month only
    and points snapped to a fixed list; the share of rows without a location changes with time.
    Drugs and weapon possession are found by police activity: more patrols raise them.
    """

    table_name: ClassVar[str] = "crime"
    contract_version: ClassVar[int] = 1

    crime_id = text("Identifier in the source", null="the source gives none", personal=True)
    month = day("First day of the month in which it happened (local)")
    occurred_from = instant(
        "Earliest moment at which it can have happened", null="only the month is known"
    )
    occurred_to = instant(
        "Latest moment at which it can have happened; equal to the earliest where the time is "
        "exact",
        null="only the month is known",
    )
    recorded_at = instant("When the police recorded it", null="not supplied")

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
    offence_code = text("Offence code in the source", null="not supplied")
    violence = yes_no("Violence against the person", null="the mapping does not say")
    injury = yes_no("Somebody was injured", null="the mapping does not say")
    weapon = yes_no(
        "A weapon offence, or a weapon was used or threatened", null="the mapping does not say"
    )
    knife = yes_no(
        "A knife or sharp instrument was used or threatened", null="the mapping does not say"
    )
    robbery = yes_no("Robbery", null="the mapping does not say")
    sexual = yes_no("Sexual offence", null="the mapping does not say")
    domestic = yes_no("Flagged as domestic abuse", null="the source does not say")
    public_place = yes_no(
        "Happened in a public place, not in a dwelling", null="the source does not say"
    )
    police_generated = yes_no(
        "Found by police activity (drugs, possession of weapons): activity, not outcome",
        null="the mapping does not say",
    )
    victim_age = whole(
        "Age of the victim", unit="year", null="not supplied", low=0, high=120, personal=True
    )
    victim_sex = text("Sex of the victim, as recorded", null="not supplied", personal=True)
    victim_ethnicity = text(
        "Ethnic group of the victim, as recorded", null="not supplied", personal=True
    )
    suspect_age = whole(
        "Age of the suspect", unit="year", null="not supplied", low=0, high=120, personal=True
    )
    status = one_of("Whether it still stands as a crime", "recorded", "cancelled", "transferred")
    extract_date = day("Day on which the source made the extract", null="the source does not say")
    last_outcome = text("Last outcome category in the source", null="not supplied")
    source_sha256 = source_sha256()
    source_row = source_row()
