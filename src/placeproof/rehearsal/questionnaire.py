"""The questionnaire of the rehearsal: its items, where answers centre, and how its export maps."""

from collections.abc import Mapping
from dataclasses import dataclass

POPULATIONS = ("resident", "business", "user")
MODES = ("fieldworker", "poster", "link", "kiosk", "paper")
AGES = ("16-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65+")
HOURS = ("nte", "other", "both")
LANGUAGES = ("English", "Gujarati", "Punjabi", "Polish", "Urdu")
MODE_SHARE = {
    "resident": (0.35, 0.25, 0.30, 0.02, 0.08),
    "business": (0.45, 0.15, 0.30, 0.00, 0.10),
    "user": (0.45, 0.40, 0.05, 0.10, 0.00),
}
_AGREE = ("Strongly disagree", "Tend to disagree", "Neither", "Tend to agree", "Strongly agree")
_SAFE = ("Very unsafe", "A bit unsafe", "Fairly safe", "Very safe")
_OFTEN = (
    "Never",
    "Less than once a month",
    "About once a month",
    "About once a week",
    "Once a day",
    "More than once a day",
)


@dataclass(frozen=True)
class Item:
    """
    One question on a scale: where its answers centre, and for whom they lie higher or lower.

    Parameters
    ----------
    column : str
        Header in the export.
    words : tuple of str
        Answers from 1 up; empty where the export holds the number itself.
    top : int
        Highest answer.
    base : float
        Where the answers of a resident aged 35 to 44 who comes by day centre.
    by : mapping
        Group to a shift: a population, hours of use or an age band.
    """

    column: str
    words: tuple[str, ...]
    top: int
    base: float
    by: Mapping[str, float]


ITEMS: Mapping[str, Item] = {
    "patrols_seen": Item("Q4 How often seen", _OFTEN, 6, 3.3, {"business": 0.5, "nte": 0.3}),
    "crime_belief": Item("Q5 How much crime", (), 5, 3.2, {"65+": 0.3, "business": 0.2}),
    "patrol_effectiveness": Item(
        "Q6 Patrols reduce crime", _AGREE, 5, 3.3, {"business": 0.25, "18-24": -0.30, "nte": -0.10}
    ),
    "safety_day": Item("Q7 Safe by day", _SAFE, 4, 3.4, {"65+": -0.15}),
    "safety_evening": Item("Q8 Safe in the evening", _SAFE, 4, 2.8, {"65+": -0.3, "user": 0.1}),
    "safety_night": Item("Q9 Safe at night", _SAFE, 4, 2.3, {"nte": 0.35, "65+": -0.4}),
    "asb_worry": Item("Q10 Worried about ASB", (), 4, 2.6, {"business": 0.2, "18-24": -0.2}),
    "confidence_effective": Item("Q11a Matters", _AGREE, 5, 3.1, {"18-24": -0.25}),
    "confidence_fair": Item("Q11b Fair", _AGREE, 5, 3.2, {"18-24": -0.40, "16-17": -0.40}),
    "confidence_engaged": Item("Q11c Listen", _AGREE, 5, 3.0, {"business": 0.2}),
    "confidence_legitimate": Item("Q11d Trust", _AGREE, 5, 3.3, {"18-24": -0.30}),
    "confidence_overall": Item("Q11e Confidence", _AGREE, 5, 3.2, {"18-24": -0.30, "65+": 0.2}),
    "over_policed": Item("Q12 Over-policed", _AGREE, 5, 2.1, {"18-24": 0.50, "16-17": 0.6}),
}
YES_NO: Mapping[str, tuple[str, float, Mapping[str, float]]] = {
    "aware_unprompted": ("Q2 Named patrols", -1.1, {"business": 0.6, "nte": 0.3}),
    "aware_prompted": ("Q3 Knew of patrols", 0.1, {"business": 0.5, "nte": 0.3}),
    "victimised": ("Q13 Victim", -1.9, {"nte": 0.4, "18-24": 0.4}),
}
"""Contract column to header, log-odds of a yes, and shifts of them."""
SPREAD = {6: 1.3, 5: 0.95, 4: 0.75}
PLACE_SPREAD = 0.12
MODE_SHIFT = {"poster": -0.12, "link": -0.15}

PLAIN = {
    "response_id": "Response",
    "wave": "Wave",
    "completed_at": "Completed",
    "population": "Q1 You are",
    "mode": "Mode",
    "language": "Language",
    "hotspot_id": "Place",
    "poster_hotspot_id": "Poster",
    "zone": "Zone",
    "hours_of_use": "Q14 When here",
    "consent_survey": "Consent",
    "base_weight": "Base weight",
    "age_band": "Age",
    "sex": "Sex",
    "ethnicity": "Ethnic group",
    "disability": "Condition",
}


def section() -> str:
    """The sections of `study.toml` for the survey's feeds."""
    columns = PLAIN | {name: item.column for name, item in ITEMS.items()}
    columns |= {name: header for name, (header, _, _) in YES_NO.items()}
    lines = [
        "",
        "# Answers of residents, businesses and users. UTF-8 with a byte-order mark.",
        "[data.responses]",
        'contract = "response"',
        'files = ["survey/responses.csv"]',
        'encoding = "utf-8-sig"',
        'time_format = "%d/%m/%Y %H:%M"',
        'time_zone = "Europe/London"',
        "[data.responses.columns]",
        *(f'{name} = "{header}"' for name, header in columns.items()),
    ]
    for name, item in ITEMS.items():
        if item.words:
            lines.append(f"[data.responses.values.{name}]")
            lines += [f'"{word}" = "{i}"' for i, word in enumerate(item.words, start=1)]
    for name in ("consent_survey", *YES_NO):
        lines += [f"[data.responses.values.{name}]", '"Yes" = "true"', '"No" = "false"']
    for name, pairs in VALUES.items():
        lines.append(f"[data.responses.values.{name}]")
        lines += [f'"{word}" = "{value}"' for value, word in pairs.items()]
    return "\n".join(lines) + "\n" + _OTHER_SECTIONS


VALUES = {
    "population": {"resident": "I live here", "business": "I work here", "user": "I visit"},
    "hours_of_use": {"nte": "At night", "other": "By day", "both": "Both", "unknown": "Not said"},
    "zone": {"inside": "Inside", "ring": "Near", "outside": "Elsewhere", "unknown": "Not said"},
}
_OTHER_SECTIONS = """
[data.response_flags]
contract = "response_flag"
files = ["survey/flags.csv"]
[data.response_flags.columns]
response_id = "Response"
flag = "Flag"
reason = "Reason"
excluded = "Left out"
[data.response_flags.values.excluded]
"Yes" = "true"
"No" = "false"

# Ethical consent, one row per person and use.
[data.consents]
contract = "consent"
files = ["survey/consents.csv"]
time_format = "%d/%m/%Y %H:%M"
time_zone = "Europe/London"
[data.consents.columns]
subject_id = "Who"
subject_kind = "Kind"
scope = "Use"
given = "Given"
at = "Asked"
sheet_version = "Sheet"
[data.consents.values.given]
"Yes" = "true"
"No" = "false"

[data.withdrawals]
contract = "withdrawal"
files = ["survey/withdrawals.csv"]
time_format = "%d/%m/%Y %H:%M"
time_zone = "Europe/London"
[data.withdrawals.columns]
subject_id = "Who"
subject_kind = "Kind"
at = "Received"

# Passers-by counted by fieldworkers.
[data.tallies]
contract = "tally"
files = ["survey/tallies.xlsx"]
sheet = "Tallies"
time_zone = "Europe/London"
[data.tallies.columns]
hotspot_id = "Place"
interval_from = "From"
interval_to = "To"
passers_by = "Passed"
approached = "Asked"
refused = "Refused"
completed = "Completed"

# Known population of the places, for weights.
[data.margins]
contract = "population_margin"
files = ["survey/margins.csv"]
[data.margins.columns]
area_code = "Place"
population = "Population"
variable = "Variable"
category = "Category"
people = "People"
[data.margins.constants]
edition = "Invented census of 2021"
"""
