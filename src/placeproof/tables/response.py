"""Contract of table `response`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    instant,
    number,
    one_of,
    source_row,
    source_sha256,
    text,
    whole,
    yes_no,
)


class Response(Table):
    """One row per returned questionnaire.

    Three populations that are never mixed silently. Poster and link respondents are volunteers.
    Scales run so that a higher number is more of what the column names.
    """

    table_name: ClassVar[str] = "response"
    contract_version: ClassVar[int] = 1

    response_id = text("Identifier made by the collecting device", personal=True)
    wave = text("Wave of the survey", null="not supplied")
    completed_at = instant("When it was completed", null="not supplied")
    population = one_of("Which population", "resident", "business", "user")
    mode = one_of("How it was taken", "poster", "link", "fieldworker", "kiosk", "paper")
    language = text("Language of the questionnaire", null="not supplied")
    hotspot_id = text("Hot spot that the person speaks of", null="none stated")
    poster_hotspot_id = text("Hot spot of the poster that was scanned", null="not by poster")
    zone = one_of("Home or work seen from the hot spot", "inside", "ring", "outside", "unknown")
    hours_of_use = one_of(
        "When the person mainly uses the place", "nte", "other", "both", "unknown"
    )
    consent_survey = yes_no("Consent to the use of the answers")
    base_weight = number(
        "Inverse of the chance of selection",
        unit="weight",
        null="volunteer, or no sampling design",
        low=0,
    )
    age_band = text("Age band", null="not asked or not answered", personal=True)
    sex = text("Sex", null="not asked or not answered", personal=True)
    ethnicity = text("Ethnic group", null="not asked or not answered", personal=True)
    disability = text(
        "Limiting long-term condition", null="not asked or not answered", personal=True
    )
    aware_unprompted = yes_no(
        "Named the patrols before they were mentioned", null="not asked or not answered"
    )
    aware_prompted = yes_no(
        "Knew of the patrols once they were mentioned", null="not asked or not answered"
    )
    patrols_seen = whole(
        "How often patrols are seen: 1 never, 6 more than once a day",
        unit="scale 1-6",
        null="not asked or not answered",
        low=1,
        high=6,
    )
    crime_belief = whole(
        "How much crime the person believes there is: 1 very little, 5 very much",
        unit="scale 1-5",
        null="not asked or not answered",
        low=1,
        high=5,
    )
    patrol_effectiveness = whole(
        "Patrols reduce crime here: 1 strongly disagree, 5 strongly agree",
        unit="scale 1-5",
        null="not asked or not answered",
        low=1,
        high=5,
    )
    safety_day = whole(
        "Feels safe by day: 1 very unsafe, 4 very safe",
        unit="scale 1-4",
        null="not asked or not answered",
        low=1,
        high=4,
    )
    safety_evening = whole(
        "Feels safe in the evening: 1 very unsafe, 4 very safe",
        unit="scale 1-4",
        null="not asked or not answered",
        low=1,
        high=4,
    )
    safety_night = whole(
        "Feels safe at night: 1 very unsafe, 4 very safe",
        unit="scale 1-4",
        null="not asked or not answered",
        low=1,
        high=4,
    )
    asb_worry = whole(
        "Worry about anti-social behaviour: 1 not at all, 4 very",
        unit="scale 1-4",
        null="not asked or not answered",
        low=1,
        high=4,
    )
    confidence_effective = whole(
        "Police deal with what matters: 1 strongly disagree, 5 strongly agree",
        unit="scale 1-5",
        null="not asked or not answered",
        low=1,
        high=5,
    )
    confidence_fair = whole(
        "Police treat everyone fairly: 1 strongly disagree, 5 strongly agree",
        unit="scale 1-5",
        null="not asked or not answered",
        low=1,
        high=5,
    )
    confidence_engaged = whole(
        "Police listen: 1 strongly disagree, 5 strongly agree",
        unit="scale 1-5",
        null="not asked or not answered",
        low=1,
        high=5,
    )
    confidence_legitimate = whole(
        "Police can be trusted: 1 strongly disagree, 5 strongly agree",
        unit="scale 1-5",
        null="not asked or not answered",
        low=1,
        high=5,
    )
    confidence_overall = whole(
        "Confidence in the police overall: 1 strongly disagree, 5 strongly agree",
        unit="scale 1-5",
        null="not asked or not answered",
        low=1,
        high=5,
    )
    over_policed = whole(
        "The area is over-policed: 1 strongly disagree, 5 strongly agree",
        unit="scale 1-5",
        null="not asked or not answered",
        low=1,
        high=5,
    )
    victimised = yes_no(
        "Was a victim of crime in the last 12 months", null="not asked or not answered"
    )
    source_sha256 = source_sha256()
    source_row = source_row()
