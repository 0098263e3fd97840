"""A new study's folder: `study.toml` and `plan.toml`, each key with what it means beside it."""

from pathlib import Path

from placeproof.errors import SettingsError
from placeproof.study.effect_keys import EFFECT_VALUES
from placeproof.study.keys import FEED_KEYS, PLAN_KEYS, STUDY_KEYS
from placeproof.study.patrol_keys import PATROL_VALUES
from placeproof.study.settings_form import Key
from placeproof.study.store import refusals_explained

FOLDERS = ("data", "corrections", "text", "forms")

STUDY_VALUES = {
    "schema": "1",
    "name": '"Hot-spot patrols in Exampleshire"',
    "force": '"Exampleshire Police"',
    "authors": '["Name, University"]',
    "sponsor": '""',
    "contact": '""',
    "start": "2019-12-01",
    "cut_off": "2024-06-30",
    "outcomes_public": "false",
}
PLAN_VALUES = {
    "schema": "1",
    "seed": "20210719",
    "exploratory": "false",
    "history_from": "2019-07-01",
    "history_to": "2020-06-30",
    "selection_from": "2020-07-01",
    "selection_to": "2021-06-30",
    "analysis_from": "2020-07-01",
    "analysis_to": "2024-06-30",
    "primary": '"sv-street-nondom"',
    "headline_per_question": '{ RQ1 = "sv-street-nondom", RQ2 = "all-crime", RQ3 = "asb-all" }',
    "also": '["vwi", "robbery", "asb-plus-public-order"]',
    "negative_controls": '["burglary"]',
    "nte": '"nte-core"',
    "ring_edges_m": "[0, 100, 250]",
    "comparison_per_hotspot": "2",
    "match_shape_weight": "1.0",
    "least_events": "1",
    "baseline": '"unused"',
    "outline_rule": '"first"',
    "false_discovery_rate": "0.05",
    "largest_part_share": "0.8",
    "derive": "false",
    "derive_on": '"sv-street-nondom"',
    "n": "24",
    "side_m": "200",
    "period": '"week"',
    "level": "0.95",
    "permutations": "999",
    "plausible_effect": "0.25",
    "few_places_below": "15",
    "event_study_steps": '["month", "quarter"]',
    "event_study_leads": "12",
    **EFFECT_VALUES,
    **PATROL_VALUES,
    "headline_order": '["resident", "business", "user"]',
    "min_items": "3",
    "min_people_per_area": "10",
    "survey_people": "2000",
    "survey_areas": "20",
    "survey_people_per_area": "50",
    "interview_people": "200",
    "interview_areas": "20",
    "people_below": "10",
    "counts_below": "5",
    "round_to": "5",
}

_FEED_EXAMPLE = """
# Each feed is a section of its own. `placeproof map data/FILE` proposes one for a file of yours.
# A feed that is not here is not supplied: the questions that rest on it say so.

# [data.hotspots]
# contract = "hotspot"
# files = ["hotspots.geojson"]

# [data.crimes]
# contract = "crime"
# files = ["crimes*.csv"]
# time_format = "%d/%m/%Y %H:%M"
# time_zone = "Europe/London"
# crs = "EPSG:27700"
# [data.crimes.columns]
# crime_id = "Crime Number"

# [data.police_uk]
# format = "police-uk"
# files = ["police-uk.zip"]
"""


def new_study(folder: Path) -> list[Path]:
    """
    Make the folder of a new study.

    Parameters
    ----------
    folder : Path
        A folder that does not exist or is empty.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    SettingsError
        If something stands in the folder already: nothing is ever overwritten.
    OutputError
        If the folder cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(
            f"{folder} is there already and is not empty.", mend="name a new folder"
        )
    with refusals_explained(folder):
        for name in FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        study, plan = folder / "study.toml", folder / "plan.toml"
        study.write_text(study_template(), encoding="utf-8", newline="\n")
        plan.write_text(plan_template(), encoding="utf-8", newline="\n")
    return [study, plan]


def study_template() -> str:
    """Write `study.toml`, every key explained; optional keys without a value are comments."""
    lines = ["# Who, where, which files and how their columns map. docs/reference/settings.md"]
    for section, keys in STUDY_KEYS.items():
        lines += _section(section, keys, STUDY_VALUES)
    lines.append(_FEED_EXAMPLE)
    lines.append("# Keys of a feed:")
    lines += [f"#   {key.name}: {key.meaning}" for key in FEED_KEYS]
    return "\n".join(lines) + "\n"


def plan_template() -> str:
    """Write `plan.toml` with every choice spelled out: nothing that changes an answer is silent."""
    lines = [
        "# Every choice that changes an answer. Settle it before outcomes are seen,",
        "# then type: placeproof lock FOLDER",
    ]
    for section, keys in PLAN_KEYS.items():
        lines += _section(section, keys, PLAN_VALUES)
    return "\n".join(lines) + "\n"


def _section(name: str, keys: tuple[Key, ...], values: dict[str, str]) -> list[str]:
    given = [key for key in keys if key.name in values]
    head = f"[{name}]" if given else f"# [{name}]"
    lines = ["", head] if name else []
    for key in keys:
        choices = f" ({', '.join(key.allowed)})" if key.allowed else ""
        lines.append(f"# {key.meaning}{choices}")
        lines.append(f"{key.name} = {values[key.name]}" if key in given else f"# {key.name} =")
    return lines


def settings_page() -> str:
    """The manual's page of settings, as Markdown."""
    lines = [
        "# Settings",
        "",
        "Made from `placeproof.study.keys`; a test holds this page against it.",
        "",
        "## study.toml",
    ]
    for section, keys in STUDY_KEYS.items():
        lines += _table(f"[{section}]" if section else "top of the file", keys)
    lines += _table("[data.NAME], one for each feed", FEED_KEYS)
    lines += ["", "## plan.toml"]
    for section, keys in PLAN_KEYS.items():
        lines += _table(f"[{section}]" if section else "top of the file", keys)
    return "\n".join(lines) + "\n"


def _table(title: str, keys: tuple[Key, ...]) -> list[str]:
    lines = [
        "",
        f"### {title}",
        "",
        "| key | kind | must be there | meaning |",
        "|---|---|---|---|",
    ]
    for key in keys:
        choices = f": {', '.join(key.allowed)}" if key.allowed else ""
        must = "yes" if key.required else "no"
        lines.append(f"| `{key.name}` | {key.kind}{choices} | {must} | {key.meaning} |")
    return lines
