"""The settings, plan and paragraphs of the rehearsal study."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from placeproof.rehearsal.choices import (
    COHORT_STARTS,
    CUT_OFF,
    FIRST_DAY,
    HISTORY,
    LAST_DAY,
    SELECTION,
)

_STUDY = """# The rehearsal study: an invented police force whose true effects are known.
# Everything in this folder is invented. What was planted stands in truth.json.
schema = 1

[study]
name = "Hot-spot patrols in Northmere: a rehearsal"
force = "Northmere Police (invented)"
authors = ["The rehearsal of Placeproof, seed {seed}"]
sponsor = "Nobody: this is a rehearsal"
contact = "nobody@northmere.invalid"
start = {start}
cut_off = {cut_off}
area = "ground/northmere_force.geojson"
area_crs = "EPSG:4326"

[lsoa]
file = "ground/northmere_areas.geojson"
code = "AREA_CD"
name = "AREA_NM"
crs = "EPSG:27700"
"""

_PLAN = """# The analysis plan of the rehearsal: every choice that changes an answer.
schema = 1
seed = 20210719
# A rehearsal needs no lock; every number is stamped "exploratory".
exploratory = true

[windows]
{about_history}history_from = {history_from}
history_to = {history_to}
selection_from = {selection_from}
selection_to = {selection_to}
analysis_from = {start}
analysis_to = {end}

[outcomes]
primary = "sv-street-nondom"
also = [{also}]
# Burglary happens indoors: patrols of the street should not move it. Nothing was planted on it.
negative_controls = ["burglary"]
[outcomes.headline_per_question]
RQ1 = "sv-street-nondom"
# Crimes found by police work are left out: more patrols find more of them.
RQ2 = "all-crime-reported"
RQ3 = "asb-all"

[hours]
nte = "nte-core"

[places]
ring_edges_m = [0, 100, 250]
comparison_per_hotspot = 2
# Histories are matched by level and shape; places with next to no events are no comparison.
match_shape_weight = 1.0
least_events = 5
# The baseline leaves out the selection window and the periods that were matched on: what is
# chosen on luck falls back, and that fall is no effect of patrols.
baseline = "unused"
outline_rule = "first"
# Unused here, because the register names the hot spots.
false_discovery_rate = 0.05
largest_part_share = 0.75
derive = false
derive_on = "sv-street-nondom"
n = 24
side_m = 200

[effects]
period = "week"
level = 0.95
permutations = {permutations}
# The largest change, as a share, that there is reason to expect.
plausible_effect = 0.25
few_places_below = 15
event_study_steps = ["month", "quarter"]
event_study_leads = 12

[robustness]
# Other estimators beside the headline, each with its own assumptions.
methods = ["callaway_santanna", "sun_abraham", "synthetic_did", "bounded_calibration", "honest_did"]
weeks_per_step = 13
comparison_of_cohorts = "not_yet"
calibration_parts = 4
largest_weight = 5.0
honest_steps = 4
honest_leads = 4
relative_magnitudes = [0.25, 0.5, 1.0]
smoothness = [0.005, 0.01, 0.02]

[certificate]
# placeproof certify tries the estimators on invented studies like this one; docs/explanation/
# certificate.md says what each of these does.
studies = 1000
slow_studies = 200
rate_ratios = [1.0, 0.85, 1.2]
coverage_band = [0.93, 0.99]
false_alarm_band = [0.0, 0.07]
largest_bias = 0.05

[forge]
# The headline under many other sets of comparison places, matched on history and these features.
sets = 50
kinds = ["tessellated", "translated"]
features = ["residents", "deprivation", "venues"]
feature_weight = 1.0
feature_reach_m = 200
pretended_starts = [13, 26]

[registers]
# What else was done, and what moved recording: docs/explanation/registers.md.
apart_days = 56
scan_false_flags = 0.05
scan_months = 4
scan_simulations = 4999
unlocated_odds = 2.0

[subgroups]
# The effect by group of victims: docs/explanation/who-and-when.md.
victim_variables = ["victim_age_band", "victim_sex", "victim_ethnicity"]
least_events_per_group = 50
age_bands = "age-8@1"
sex_groups = "sex-2@1"
ethnic_groups = "ethnic-5-census-2021@1"

[night_patrols]
# What patrols at night did to the other hours: docs/explanation/who-and-when.md.
hours_around_nights = 2.0
first_weeks = 4

[health]
# Attendances are located by the words of patients: docs/explanation/health.md.
least_confidence = 0.8
least_margin = 0.2
dwelling_words = ["home", "house", "flat"]
least_located = 50

[dose]
# Days with and without a patrol, and how much of it: docs/explanation/dose-response.md.
lag_days = 7
washout_days = 4
lot_block = "week"
step_minutes = 10
dose_groups = 4

[patrols]
# Radios report every 15 to 24 seconds; wardens carry none.
path = "crossings"
longest_gap_s = 180
shortest_dwell_s = 0
log_tolerance_s = 900
logged_at_least_s = 300
silence_s = 900
tasked_by = "place"
vehicle_devices = []
without_gps = ["Northmere town wardens"]
visible_share = 0.5

[crossings]
# docs/explanation/visits.md says what each of these does.
exit_after_s = 120
fastest_m_s = 60
foot_fastest_m_s = 2.5
default_accuracy_m = 10
worst_accuracy_m = 50
smallest_presence = 0.5
usual_stay_s = 300
error_lasts_s = 60
still_after_s = 3600
still_within_m = 30

[routes]
# Lines are cut to the hot spot and a margin, and their ends are taken out.
margin_m = 50
lead_s = 60
trim_m = 25
snap_m = 1
simplify_m = 3
cell_m = 5
reach_m = 15

[survey]
headline_order = ["resident", "business", "user"]
min_items = 3
min_people_per_area = 10

[targets]
survey_people = 2000
survey_areas = 20
survey_people_per_area = 50
interview_people = 200
interview_areas = 20

[disclosure]
people_below = 10
counts_below = 5
round_to = 5
"""

BEFORE_SELECTION = (
    "# Comparison places are matched on the history, which ends before hot spots were selected.\n"
)
AFTER_SELECTION = (
    "# The data begin after hot spots were selected, so the history on which comparison places\n"
    "# are matched comes after the selection window; it ends before the second wave of starts.\n"
)

ALSO = (
    "sv-street-nondom-with-possession",
    "sv-grip",
    "vwi",
    "vwoi",
    "robbery",
    "all-crime",
    "asb-plus-public-order",
)

TEXTS = {
    "background": (
        "Northmere Police is invented, and so is every crime, officer and resident in this study. "
        "In July 2021 the force began to send foot patrols to the first eight of 24 small places; "
        "three more waves followed. This rehearsal asks whether Placeproof finds what was planted."
    ),
    "aims": (
        "To learn what happened to serious violence, other crime and disorder where patrols went, "
        "in either direction, and what people who live, work and go out there say of it."
    ),
    "delivery": (
        "Patrols were asked for 15 minutes at a time, two officers on foot. Some were cancelled "
        "for want of officers. Positions of radios were kept for the last weeks only; before that, "
        "delivery rests on logs and, in six places, on the hours that the town's wardens report."
    ),
    "limitations": (
        "Patrols began within days of the reopening of night-clubs on 19 July 2021, so before and "
        "after cannot be compared alone. Outreach workers came to seven of the same places in "
        "November 2022. Recording rules changed in February 2023."
    ),
    "recommendations": ("None: nobody should change anything because of an invented force."),
}

_README = """# Northmere Police does not exist

Everything in this folder is invented: the force, its towns, streets, crimes, patrols, people and
words. The towns are drawn on an empty bog in the far north of Great Britain, so that the tools
that check coordinates work and nobody can mistake the place. No row is about anybody.

- `data/` holds the exports as a force and its partners would send them, each with its own habits.
- `study.toml` says how their columns map; `plan.toml` says what is asked of them.
- `truth.json` holds what was planted: read it *after* the report, not before.

Made with seed {seed}, size `{size}`, effect `{effect}`{faults}. The same command makes the same
bytes again. To evaluate it: `placeproof run` and this folder.
"""


def write_settings(
    folder: Path,
    *,
    seed: int,
    sections: Sequence[str],
    permutations: int,
    begin: date | None = None,
) -> None:
    """
    Write `study.toml`, `plan.toml` and the authors' paragraphs.

    Parameters
    ----------
    folder : Path
        The study.
    seed : int
        Of the rehearsal.
    sections : sequence of str
        Sections of `study.toml`, one or more per feed, as text.
    permutations : int
        Placebo permutations that the plan asks for.
    begin : date or None
        First day of the crime data, if they begin late.
    """
    start = begin or FIRST_DAY
    history = HISTORY if begin is None else (begin, COHORT_STARTS[1] - timedelta(1))
    study = _STUDY.format(seed=seed, start=start, cut_off=CUT_OFF) + "".join(sections)
    _write(folder / "study.toml", study)
    plan = _PLAN.format(
        about_history=BEFORE_SELECTION if begin is None else AFTER_SELECTION,
        history_from=history[0],
        history_to=history[1],
        selection_from=SELECTION[0],
        selection_to=SELECTION[1],
        start=start,
        end=LAST_DAY,
        also=", ".join(f'"{name}"' for name in ALSO),
        permutations=permutations,
    )
    _write(folder / "plan.toml", plan)
    for name, words in TEXTS.items():
        _write(folder / "text" / f"{name}.md", words + "\n")


def write_readme(folder: Path, *, seed: int, size: str, effect: str, faults: Sequence[str]) -> None:
    """
    Write the page that says that everything here is invented.

    Parameters
    ----------
    folder : Path
        The study.
    seed : int
        Of the rehearsal.
    size, effect : str
        As chosen.
    faults : sequence of str
        Planted faults.
    """
    listed = f", faults {', '.join(f'`{fault}`' for fault in faults)}" if faults else ""
    _write(folder / "README.md", _README.format(seed=seed, size=size, effect=effect, faults=listed))


def _write(path: Path, words: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(words, encoding="utf-8", newline="\n")
