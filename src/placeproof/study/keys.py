"""Every key of `study.toml` and `plan.toml`: meaning, kind, and whether it must be there.

The reader, the commented templates and the manual's page of settings are all made from here.
"""

from placeproof.study.effect_keys import EFFECT_KEYS
from placeproof.study.patrol_keys import PATROL_KEYS
from placeproof.study.settings_form import Key, Sections

STUDY_KEYS: Sections = {
    "": (Key("schema", "whole", "edition of this file's form", low=1, high=1),),
    "study": (
        Key("name", "text", "name of the study, as the report's title gives it"),
        Key("force", "text", "police force"),
        Key("authors", "texts", "who answers for the report", required=False, default=()),
        Key("sponsor", "text", "who pays", required=False, default=""),
        Key("contact", "text", "whom readers may write to", required=False, default=""),
        Key("start", "day", "first day of the study's data"),
        Key("cut_off", "day", "last day of the study's data; later rows are quarantined"),
        Key("area", "text", "outline of the study area, a file in data/", required=False),
        Key("area_crs", "text", "its CRS where the file names none", required=False),
        Key(
            "outcomes_public",
            "flag",
            "whether outcomes were public before the plan was locked",
            required=False,
            default=False,
        ),
    ),
    "lsoa": (
        Key("file", "text", "outlines of the LSOAs, a file in data/", required=False),
        Key("code", "text", "its column of codes", required=False),
        Key("name", "text", "its column of names", required=False),
        Key("crs", "text", "its CRS where the file names none", required=False),
    ),
    "premises": (
        Key(
            "file",
            "text",
            "police stations and other premises, a table in data/ with name, easting_m,"
            " northing_m, radius_m",
            required=False,
        ),
    ),
    "streets": (
        Key("file", "text", "lines of the street network, a file in data/", required=False),
        Key("crs", "text", "its CRS where the file names none", required=False),
    ),
    "harm": (
        Key("file", "text", "harm index that you supply, a table in data/", required=False),
        Key("edition", "text", "its name and edition; stands beside every result", required=False),
        Key("code", "text", "its column of offence codes", required=False, default="offence_code"),
        Key("weight", "text", "its column of weights", required=False, default="harm"),
        Key("unit", "text", "what its weights count", required=False, default="days"),
        Key(
            "other_edition",
            "text",
            "another edition, for a second result beside the first",
            required=False,
        ),
        Key("other_file", "text", "its table, where it is not the same file", required=False),
        Key("other_weight", "text", "its column of weights, where not the same", required=False),
    ),
    "costs": (
        Key(
            "hour_gbp",
            "number",
            "what an hour of patrol costs, for months whose hours are known and spending is not",
            required=False,
            low=0,
        ),
        Key("hour_edition", "text", "whose rate, and of which year", required=False),
        Key(
            "file",
            "text",
            "what one offence costs, a table in data/ that you supply: nothing ships",
            required=False,
        ),
        Key("edition", "text", "whose unit costs, and of which year", required=False),
        Key("outcome", "text", "its column of outcomes", required=False, default="outcome"),
        Key("gbp", "text", "its column of costs in pounds", required=False, default="gbp"),
    ),
    "gazetteer": (
        Key(
            "file",
            "text",
            "names of venues and streets, a table in data/ with name, easting_m, northing_m",
            required=False,
        ),
    ),
}

FEED_KEYS: tuple[Key, ...] = (
    Key("contract", "text", "canonical table that the files hold", required=False),
    Key(
        "format",
        "text",
        "how the files are laid out",
        required=False,
        default="auto",
        allowed=("auto", "police-uk", "table", "geo", "gpx", "packed"),
    ),
    Key("files", "texts", "file names or patterns in data/"),
    Key("time_format", "text", "form of the times, as strptime knows it", required=False),
    Key("date_format", "text", "form of the dates, as strptime knows it", required=False),
    Key("time_zone", "text", "zone of the times: Europe/London or UTC", required=False),
    Key("crs", "text", "EPSG:27700 or EPSG:4326", required=False),
    Key("encoding", "text", "utf-8, cp1252, utf-16", required=False),
    Key("separator", "text", "what separates columns", required=False),
    Key("sheet", "text", "sheet of a workbook", required=False),
    Key("extract_date", "text", "pattern that finds the extract's day in its name", required=False),
    Key("offences", "text", "table of offence codes, a file in data/", required=False),
    Key("default_locations", "text", "table of default geocodes, a file in data/", required=False),
    Key("corrections", "texts", "files in corrections/", required=False, default=()),
    Key("columns", "table", "canonical column = the file's own header", required=False, default={}),
    Key(
        "values",
        "table",
        "by canonical column: source value = canonical value",
        required=False,
        default={},
    ),
    Key(
        "constants",
        "table",
        "canonical column = the same value in each row",
        required=False,
        default={},
    ),
)

PLAN_KEYS: Sections = {
    "": (
        Key("schema", "whole", "edition of this file's form", low=1, high=1),
        Key("seed", "whole", "where all randomness starts", low=0),
        Key("exploratory", "flag", "true stamps every number exploratory and needs no lock"),
    ),
    "windows": (
        Key(
            "history_from", "day", "first day of the history on which comparison places are matched"
        ),
        Key("history_to", "day", "its last day: before the selection window"),
        Key("selection_from", "day", "first day of the data on which hot spots were chosen"),
        Key("selection_to", "day", "its last day"),
        Key("analysis_from", "day", "first day of the panel"),
        Key("analysis_to", "day", "last day of the panel"),
    ),
    "outcomes": (
        Key("primary", "text", "the one outcome that the study stands on"),
        Key("headline_per_question", "table", "RQ1, RQ2, RQ3 = outcome"),
        Key(
            "also",
            "texts",
            "other outcomes and definitions shown beside",
            required=False,
            default=(),
        ),
        Key("negative_controls", "texts", "outcomes that street patrols should not move"),
    ),
    "hours": (
        Key(
            "nte",
            "text",
            "core night-time economy hours",
            allowed=("nte-core", "nte-wide", "nte-late", "nte-peak"),
        ),
    ),
    "places": (
        Key("ring_edges_m", "numbers", "edges of the rings around a hot spot, from 0, in metres"),
        Key(
            "comparison_per_hotspot",
            "whole",
            "comparison places matched to each hot spot",
            low=1,
            high=10,
        ),
        Key(
            "match_shape_weight",
            "number",
            "0 matches histories by level alone, 1 counts their shape as much",
            low=0,
            high=10,
        ),
        Key(
            "least_events",
            "whole",
            "candidate places with fewer events in the history are left out; low, or luck selects",
            low=0,
        ),
        Key(
            "baseline",
            "text",
            "unused: a baseline of periods that neither chose hot spots nor matched places; "
            "all: every period before patrols",
            allowed=("unused", "all"),
        ),
        Key(
            "outline_rule",
            "text",
            "which outline of a re-drawn hot spot counts an event",
            allowed=("first", "at_event"),
        ),
        Key(
            "false_discovery_rate",
            "number",
            "of cells called significant where hot spots are delineated",
            low=0.0001,
            high=0.5,
        ),
        Key(
            "largest_part_share",
            "number",
            "delineated places with more of their events in one sixteenth are passed over; 1: none",
            low=0.05,
            high=1,
        ),
        Key("derive", "flag", "true: delineate hot spots from crime, false: read them from a file"),
        Key("derive_on", "text", "outcome on which places are delineated"),
        Key("n", "whole", "hot spots to delineate where derive is true", low=1, high=500),
        Key("side_m", "number", "longest side of a delineated place, in metres", low=25, high=2000),
        Key(
            "patrols_start",
            "day",
            "first day of patrols in delineated hot spots",
            required=False,
        ),
    ),
    "effects": (
        Key("period", "text", "length of the panel's periods", allowed=("week", "month")),
        Key("level", "number", "coverage of intervals", low=0.5, high=0.999),
        Key("permutations", "whole", "placebo permutations", low=0, high=100_000),
        Key(
            "plausible_effect",
            "number",
            "largest change, as a share, that there is reason to expect (0.25: 25 per cent)",
            low=0.01,
            high=0.99,
        ),
        Key("few_places_below", "whole", "fewer treated places than this are few", low=2),
        Key("event_study_steps", "texts", "steps of the event study: month, quarter, year"),
        Key("event_study_leads", "whole", "steps before the start that it shows", low=0, high=60),
    ),
    **EFFECT_KEYS,
    **PATROL_KEYS,
    "survey": (
        Key(
            "headline_order",
            "texts",
            "populations in the order in which one carries the headline",
        ),
        Key("min_items", "whole", "items of a scale that a person must have answered", low=1),
        Key(
            "min_people_per_area",
            "whole",
            "areas with fewer answers are left out when areas are compared",
            low=1,
        ),
    ),
    "targets": (
        Key("survey_people", "whole", "people to survey", low=0),
        Key("survey_areas", "whole", "areas to survey in", low=0),
        Key("survey_people_per_area", "whole", "people to survey in each area", low=0),
        Key("interview_people", "whole", "people to hear in interviews and groups", low=0),
        Key("interview_areas", "whole", "areas to hear people in", low=0),
    ),
    "disclosure": (
        Key("people_below", "whole", "fewer respondents than this are suppressed", low=0),
        Key("counts_below", "whole", "smaller counts than this are suppressed", low=0),
        Key("round_to", "whole", "counts are rounded to a multiple of this", low=1),
    ),
}
