"""Words that exports use for our columns, and how alike two headers are.

The words are those that people who export from record, command-and-control and roster systems
commonly use. They only propose a mapping: a person confirms every line.
"""

import difflib
import re

WORDS: dict[str, tuple[str, ...]] = {
    # identifiers
    "crime_id": (
        "crime number", "crime no", "crime ref", "crime reference", "crime reference number",
        "crn", "urn", "occurrence number", "investigation reference", "investigation ref no",
        "offence number", "reference",
    ),
    "incident_id": (
        "incident number", "incident no", "incident ref", "incident reference", "log number",
        "storm ref", "storm reference", "serial number", "event number", "cad number", "urn",
    ),
    "task_id": ("task no", "task ref", "task number", "tasking id", "tasking ref",
        "tasking reference", "briefing id"),
    "log_id": ("log number", "log ref", "log reference", "patrol id", "patrol ref", "patrol log"),
    "response_id": ("response number", "respondent id", "record id", "instance id", "submission"),
    "attendance_id": ("attendance number", "attendance ref", "episode id", "patient pseudonym"),
    "session_id": ("interview id", "interview number", "session number", "transcript"),
    "speaker_id": ("participant id", "participant", "person id", "speaker", "pseudonym"),
    "subject_id": ("who", "person id", "participant id", "respondent id", "subject"),
    "search_id": ("search number", "stop search id", "search ref"),
    "hotspot_id": (
        "hotspot", "hot spot", "hot spot id", "hot spot ref", "hotspot ref", "hs ref",
        "patrol area",
        "patrol zone", "zone", "polygon id", "location id", "area", "place", "hs id",
    ),
    "unit_id": ("callsign", "call sign", "unit", "resource", "officer", "collar number", "vehicle"),
    "device_id": (
        "device", "issi", "radio", "radio id", "terminal", "tracker", "vehicle", "vehicle id",
        "asset", "asset id", "imei", "callsign", "call sign", "unit",
    ),
    # times
    "occurred_from": (
        "committed from", "committed from date time", "committed on from", "offence start",
        "earliest date", "earliest committed date time", "date from", "from date", "start date",
        "occurred from date", "first committed", "offence date", "date of offence",
    ),
    "occurred_to": (
        "committed to", "committed to date time", "committed on to", "offence end", "latest date",
        "latest committed date time", "date to", "to date", "end date", "occurred to date",
        "last committed",
    ),
    "recorded_at": (
        "recorded date", "date recorded", "recorded on", "created date", "date created",
        "date crimed", "reported date", "recorded date time",
    ),
    "reported_at": (
        "created", "opened", "call time", "received", "date received", "created date time",
        "incident date", "incident date time", "reported", "time of call", "date reported",
    ),
    "at": ("utc", "asked", "gps utc", "time", "timestamp", "date time", "gps time", "fix time",
        "t", "time local", "epoch",
           "position time", "reported at"),
    "month": ("month", "period", "year month", "month of arrival"),
    "window_from": ("start", "from", "start time", "shift start", "window start", "planned start"),
    "window_to": ("end", "to", "end time", "shift end", "window end", "planned end"),
    "started_at": ("start", "start time", "time in", "arrived", "arrival", "on site from", "from"),
    "ended_at": ("end", "end time", "time out", "left", "departure", "on site to", "to"),
    "operating_day": ("date", "day", "patrol date", "shift date"),
    "completed_at": ("submitted", "submission date", "end time", "completed", "date completed"),
    "held_at": ("date", "interview date", "session date", "date held"),
    "arrived_at": ("arrival", "arrival date time", "attendance date", "arrival time"),
    "assaulted_at": ("assault date", "assault date time", "time of assault", "incident date time"),
    "interval_from": ("start", "from", "count start"),
    "interval_to": ("end", "to", "count end"),
    "starts_on": ("starts", "opened", "start", "start date", "from"),
    "ends_on": ("ends", "closed", "end", "end date", "to"),
    "starts_at": ("starts", "start", "start time", "kick off"),
    "ends_at": ("ends", "end", "end time"),
    "valid_from": ("from", "start", "start date", "date from", "drawn on", "valid from date"),
    "valid_to": ("to", "end", "end date", "date to", "valid to date"),
    "first_treated": ("first patrol", "patrols from", "go live", "go live date", "started"),
    "treated_until": ("last patrol", "patrols until", "patrols to"),
    # places
    "easting_m": ("easting", "east", "x", "x coord", "x coordinate", "gr easting", "grid east",
                  "location easting", "os easting", "eastings"),
    "northing_m": ("northing", "north", "y", "y coord", "y coordinate", "gr northing",
                   "grid north", "location northing", "os northing", "northings"),
    "longitude_deg": ("longitude", "lon", "lng", "long", "x", "gps longitude"),
    "latitude_deg": ("latitude", "lat", "y", "gps latitude"),
    "lsoa_code": ("lsoa", "lsoa code", "lsoa11cd", "lsoa21cd"),
    "accuracy_m": ("accuracy", "gps accuracy", "horizontal accuracy", "precision"),
    "speed_m_s": ("speed", "velocity", "speed ms"),
    # what it was
    "offence_code": ("offence code", "home office code", "ho code", "hooc code", "crime code"),
    "category": (
        "offence", "offence type", "crime type", "offence description", "offence title", "crime",
        "category", "incident type", "closing code", "closure code", "opening code", "event type",
        "type", "home office class",
    ),
    "qualifier": ("asb type", "asb qualifier", "asb category", "qualifier"),
    "status": ("crime status", "status", "outcome status", "finalised status", "state"),
    "domestic": ("dv", "dv flag", "domestic abuse", "domestic flag", "da flag", "domestic"),
    "public_place": ("public place", "public space", "in public", "street flag"),
    "victim_age": ("victim age", "vic age", "age of victim", "victim age at offence"),
    "victim_sex": ("victim gender", "vic gender", "victim sex", "gender of victim"),
    "victim_ethnicity": ("victim ethnicity", "victim ethnic appearance", "vic ethnicity"),
    "suspect_age": ("suspect age", "offender age", "susp age"),
    "caller_id": ("caller", "caller ref", "caller id", "informant"),
    "duplicate_of": ("duplicate of", "linked to", "parent incident"),
    "last_outcome": ("outcome", "outcome type", "last outcome category", "disposal"),
    # doses
    "target_minutes": ("minutes", "target", "planned minutes", "duration", "required minutes"),
    "minutes": ("minutes", "duration", "duration minutes", "dwell", "time on site", "mins"),
    "officers": ("officers", "number of officers", "no of officers", "staff"),
    "activity": ("activity", "patrol type", "tactic", "what was done", "task"),
    "observations": ("observed", "notes", "comments", "free text", "remarks", "observations"),
    "randomised": ("randomised", "randomized", "random"),
    "cancelled": ("cancelled", "canceled", "stood down"),
    "cancel_reason": ("reason cancelled", "cancellation reason", "reason"),
    "missed_reason": ("reason missed", "missed because", "why missed", "reason not attended"),
    "engagements": ("engagements", "conversations", "interactions"),
    "stops": ("stops", "stop checks"),
    "asb_powers": ("asb powers", "dispersals", "section 34", "s34", "s35"),
    "delivered_by": ("provider", "organisation", "team", "partner"),
    # people, places of health, money
    "population": ("respondent type", "population", "group", "who"),
    "mode": ("mode", "collection mode", "channel", "source"),
    "words": ("text", "utterance", "transcript", "said"),
    "site": ("hospital", "site", "site code", "department"),
    "method": ("weapon", "mechanism", "assault method", "injury mechanism"),
    "location_text": ("location of assault", "incident location", "assault location", "location"),
    "location_type": ("location type", "place type", "type of location"),
    "area_code": ("place", "area code", "lad", "lsoa", "local authority", "area", "gss code"),
    "cause": ("cause", "external cause", "icd10", "icd code", "diagnosis"),
    "admissions": ("admissions", "count", "fae", "finished admission episodes"),
    "hours": ("hours", "officer hours"),
    "amount_gbp": ("amount", "cost", "spend", "pounds"),
    "version": ("ver", "version", "version number"),
    "name": ("hs name", "what", "event", "name", "title", "label", "hotspot name",
        "hot spot name", "location name"),
    "town": ("town", "district", "city", "borough", "npa"),
    "kind": ("kind", "type", "typology", "hotspot type"),
    "scope": ("use", "purpose", "consent for"),
    "given": ("given", "consent given", "agreed"),
    "sheet_version": ("sheet", "sheet version", "information sheet"),
    "subject_kind": ("kind", "subject type"),
    "passers_by": ("passers by", "passed", "footfall"),
    "approached": ("approached", "asked"),
    "nte": ("nte", "night out", "night time economy"),
    "plan_id": ("plan", "plan number", "plan ref"),
    "deliverer": ("deliverer", "delivered by", "provider", "by whom"),
}  # fmt: skip
"""Canonical column to headers that stand for it in exports, in lower case and single blanks."""

_ANY_IDENTIFIER = ("ref", "id", "reference", "number", "no")

SURE = 0.95
"""From this likeness on a header is the same words; below, it is marked as unsure."""

LIKELY = 0.8
"""Below this likeness nothing is proposed."""


def plain(header: str) -> str:
    """
    A header in lower case, with single blanks and without units, marks and CamelCase.

    Parameters
    ----------
    header : str
        As it stands in the file.
    """
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", header)
    without_unit = re.sub(r"\((?:m|s|deg|mins?|minutes|metres)\)", " ", split.lower())
    return " ".join(re.sub(r"[^a-z0-9à-ÿ]+", " ", without_unit).split())


def likeness(header: str, column: str) -> float:
    """
    How much a header looks like one of our columns, from 0 to 1.

    Parameters
    ----------
    header : str
        As it stands in the file.
    column : str
        Canonical column.
    """
    words = plain(header)
    ours = plain(column)
    if words in _ANY_IDENTIFIER and column.endswith("_id"):
        return LIKELY + 0.05
    bare = re.sub(r" (m|s|deg|m s|gbp)$", "", ours)
    if words in (ours, bare):
        return 1.0
    known = WORDS.get(column, ())
    if words in known:
        # The words are listed in the order in which they are distinctive.
        return 0.99 - 0.001 * known.index(words)
    best = max(_alike(words, candidate) for candidate in (bare, *known))
    return min(best, SURE - 0.01)


def _alike(one: str, other: str) -> float:
    if not one or not other:
        return 0.0
    if set(one.split()) == set(other.split()):
        return 0.94
    if min(len(one), len(other)) < 4:
        return 0.0
    return difflib.SequenceMatcher(None, one, other).ratio()
