# ruff: noqa: E501
"""An invented study: every kind of finding that a report can meet, with no data behind it."""

import math
from datetime import date

import polars as pl
import shapely

from placeproof.answers import answer_all, from_estimates, release
from placeproof.report import ReportContents, StudyFacts
from placeproof.tables import Place
from placeproof.tables.estimate import rows

START, END = date(2018, 7, 1), date(2024, 6, 30)
WINDOW = {"window_start": START, "window_end": END}
INPUTS = {
    name: [(name * 16).encode().hex()[:64]]
    for name in ("crime", "incident", "hotspot", "ping", "tasking", "response", "turn", "ed_assault", "admission")
}  # fmt: skip
OUTCOMES = {
    "RQ1": [("sv-street-nondom", "Serious violence in public places, not domestic", 0.88),
            ("sv-broad", "Serious violence, broad local scope", 0.97),
            ("sv-grip", "Violence and robbery", 0.93), ("knife-enabled", "Knife-enabled crime", 0.91)],
    "RQ2": [("all-crime", "All crime", 1.02), ("robbery", "Robbery", 1.21), ("theft", "Theft", 0.99)],
    "RQ3": [("asb-all", "Anti-social behaviour", 0.9), ("asb-plus-public-order", "Anti-social behaviour and public order", 0.98)],
}  # fmt: skip


def effect(question: str, outcome: str, label: str, ratio: float, **more: object) -> dict:
    error = float(more.pop("error", 0.05))
    return {
        "question": question,
        "outcome": outcome,
        "outcome_label": label,
        "definition_edition": f"{outcome}@2026-11:ab12cd34",
        "population": "treated hot spots",
        "estimand": "rate_ratio",
        "method": "poisson_imputation_jackknife",
        "role": "beside",
        "estimate": ratio,
        "lower": ratio * math.exp(-1.96 * error),
        "upper": ratio * math.exp(1.96 * error),
        "level": 0.95,
        "standard_error": error,
        "p_value": 0.03,
        "n": 4320,
        "n_places": 24,
        "n_events": 5120.0,
        "unit": "ratio",
        "minimum_detectable_effect": math.exp(-2.8 * error),
        "feeds": "crime hotspot",
        **WINDOW,
        **more,
    }


def level(question: str, outcome: str, label: str, value: float, unit: str, **more: object) -> dict:
    return {
        "question": question,
        "outcome": outcome,
        "outcome_label": label,
        "population": "residents",
        "estimand": {"share": "share", "people": "people"}.get(unit, "mean"),
        "method": "weighted_linearisation",
        "estimate": value,
        "unit": unit,
        "n": 812,
        "feeds": "response",
        **WINDOW,
        **more,
    }


def _crime() -> list[dict]:
    made: list[dict] = []
    for question, outcomes in OUTCOMES.items():
        for index, (key, label, ratio) in enumerate(outcomes):
            role = "headline" if index == 0 else "beside"
            made.append(effect(question, key, label, ratio, role=role))
            made.append(
                effect(question, key, label, ratio * 1.03, method="poisson_imputation_trend_adjusted",
                       error=0.08)
            )  # fmt: skip
            made.append(
                effect(question, key, label, ratio * 1.01, method="poisson_two_way_fixed_effects",
                       role="robustness")
            )  # fmt: skip
            made.append(
                effect(question, key, label, ratio * 1.3, method="before_after", role="not_impact",
                       reason="Measures reopening with it", minimum_detectable_effect=None)
            )  # fmt: skip
            for hours in ("nte:nte-core", "other:nte-core", "nte:nte-wide", "other:nte-wide"):
                made.append(effect(question, key, label, ratio * 0.98, hours=hours, error=0.09))
            for ring in ("ring 0-100 m", "ring 100-250 m"):
                made.append(effect(question, key, label, 1.04, population=ring, error=0.06))
            for group in ("16-17", "18-24", "25-34", "35-49", "50-64", "65 and over"):
                made.append(
                    effect(
                        question, key, label, ratio * 1.02, subgroup=f"age_band={group}", error=0.11
                    )
                )
            for month in range(-18, 25):
                made.append(
                    effect(question, key, label, 1.0 if month < 0 else ratio,
                           estimand="event_study_rate_ratio", method="poisson_imputation",
                           horizon=f"month={month}", role="description", error=0.14,
                           minimum_detectable_effect=None)
                )  # fmt: skip
            made.append(
                {**effect(question, key, label, 0.001), "estimand": "pre_trend_slope",
                 "method": "poisson_slope", "p_value": 0.9, "diagnostics": '{"power": 0.85}', "unit": "log ratio per year", "lower": -0.04,
                 "upper": 0.042, "role": "robustness"}
            )  # fmt: skip
            made.append(
                {**effect(question, key, label, -3.2), "estimand": "weighted_displacement_difference",
                 "method": "weighted_displacement_difference_quasi_poisson", "unit": "crimes",
                 "lower": -91.0, "upper": 84.6, "minimum_detectable_effect": 120.0, "role": "beside"}
            )  # fmt: skip
    made.append(effect("RQ2", "fraud", "Fraud recorded at a place", 1.01, role="negative_control"))
    return made


def _survey() -> list[dict]:
    items = {
        "RQ4": [("saw-patrols", "Saw patrols at least weekly", 0.41), ("knows", "Knew of the patrols, unprompted", 0.18)],
        "RQ5": [("effective", "Patrols work well here", 0.47)],
        "RQ6": [("safe-day", "Feels safe by day", 0.86), ("safe-evening", "Feels safe in the evening", 0.61), ("safe-night", "Feels safe at night", 0.38)],
        "RQ7": [("fair", "Police treat everyone fairly", 0.44), ("trust", "Police can be trusted", 0.52)],
    }  # fmt: skip
    made = []
    for question, outcomes in items.items():
        for key, label, share in outcomes:
            for shift, people in enumerate(("residents", "businesses", "users")):
                value = share - 0.03 * shift
                ends = {"lower": value - 0.04, "upper": value + 0.04, "level": 0.95}
                role = "headline" if people == "residents" and key == outcomes[0][0] else "beside"
                made.append(
                    level(
                        question, key, label, value, "share", population=people, role=role, **ends
                    )
                )
                for group in ("16-17", "18-24", "25-34", "35-49", "50-64", "65 and over"):
                    made.append(
                        level(question, key, label, value, "share", population=people,
                              subgroup=f"age_band={group}", n=88, **ends)
                    )  # fmt: skip
    made.append(
        level("RQ4", "themes", "Talked of seeing patrols", 61.0, "people", estimand="people",
              method="coded_people", population="users", feeds="turn", n=61)
    )  # fmt: skip
    return made


def _rest() -> list[dict]:
    made = [
        level("delivery", "tasks", "Tasked windows", 10416.0, "tasks", estimand="count", method="count",
              population="treated hot spots", feeds="tasking"),
        level("delivery", "compliance-l2", "Attended for at least the target minutes", 0.62, "share",
              method="compliance", population="treated hot spots", feeds="ping tasking"),
        level("delivery", "dwell", "Dwell per visit", 13.4, "minutes", method="visit_mean",
              population="treated hot spots", feeds="ping"),
        level("places", "sv-street-nondom", "Serious violence in public places, not domestic", 0.31, "share", estimand="top_share",
              method="concentration", population="24 hottest places", feeds="crime"),
        level("data", "crime", "Crimes without a location", 0.032, "share",
              estimand="missing_location_share", method="count", population="all", feeds="crime"),
    ]  # fmt: skip
    for year in range(2018, 2025):
        for month in range(1, 13):
            made.append(
                level("data", "crime", "Crimes without a location", 0.08 if year < 2021 else 0.01,
                      "share", estimand="missing_location_share", method="count", population="all",
                      feeds="crime", horizon=f"{year}-{month:02d}")
            )  # fmt: skip
            made.append(
                level("delivery", "minutes", "Patrol minutes", 900.0 + 11 * month, "minutes", estimand="minutes",
                      method="sum", population="treated hot spots", feeds="ping", horizon=f"{year}-{month:02d}")
            )  # fmt: skip
            made.append(
                level("RQ10", "ed-assault", "Emergency-department assaults", 118.0, "attendances", estimand="count",
                      method="count", population="force area", feeds="ed_assault",
                      horizon=f"{year}-{month:02d}")
            )  # fmt: skip
    made.append(
        {**level("RQ10", "admissions", "Admissions for violence", 0.0, "admissions", estimand="count",
                 method="count", population="force area", feeds="admission"),
         "estimate": None, "status": "suppressed", "reason": "counts of 1 to 7 are not released", "n": None}
    )  # fmt: skip
    return made + _ranks() + _hours() + _read()


def _ranks() -> list[dict]:
    return [
        level("places", "sv-street-nondom", "Serious violence in public places, not domestic",
              float(index + shift), "rank", estimand=f"rank_{when}", method="rank_among_places",
              population="treated hot spots", horizon=f"hotspot=H{index:02d}", feeds="crime hotspot")
        for index in range(24)
        for when, shift in (("before", 1), ("after", 4))
    ]  # fmt: skip


def _hours() -> list[dict]:
    made = []
    for question, outcomes in OUTCOMES.items():
        key, label, ratio = outcomes[0]
        for hours, shift in (("nte:nte-core", 0.95), ("other:nte-core", 1.02)):
            made.append(effect("RQ9", key, label, ratio * shift, hours=hours, n=len(question)))
        made.append(effect("RQ9", key, label, 0.93, estimand="ratio_of_rate_ratios", role="headline",
                           error=0.08))  # fmt: skip
    for band in ("nte:nte-core", "other:nte-core"):
        for name, words in (("planned_minutes", "Patrol-minutes asked for"),
                            ("delivered_minutes", "Minutes in which somebody was there")):  # fmt: skip
            for horizon in ("all", "2021-08", "2021-09", "2021-11"):
                made.append(
                    level("delivery", name, words, 900.0, "minutes", estimand="minutes",
                          method="pings_with_interval", population="hot spots", feeds="ping",
                          hours=band, horizon=horizon)
                )  # fmt: skip
    return made


def _read() -> list[dict]:
    """What became of events on the way to the table that is counted."""
    return [
        level("data", "sv-street-nondom", "Serious violence in public places, not domestic", value,
              "events", estimand="count", method="reconciliation", feeds="crime",
              population="hot spots, comparison places and their rings", horizon=horizon)
        for horizon, value in (("all", 900.0), ("in the panel", 700.0), ("outside all places", 190.0),
                               ("without a location", 10.0), ("without a time", 0.0))
    ]  # fmt: skip


def findings() -> pl.DataFrame:
    return release(from_estimates(rows(_crime() + _survey() + _rest()), inputs=INPUTS))


def answers(found: pl.DataFrame) -> pl.DataFrame:
    return answer_all(
        found,
        supplied=dict.fromkeys(INPUTS, True),
        exploratory=True,
        retrospective=False,
        plausible_effect=0.2,
        few_places_below=10,
        shocks=None,
        first_start=None,
    )


def places() -> tuple[pl.DataFrame, bytes]:
    made = []
    for index in range(24):
        x, y = 458_000 + 700 * (index % 6), 303_500 + 650 * (index // 6)
        spot = shapely.box(x, y, x + 180, y + 160)
        ring = shapely.difference(shapely.buffer(spot, 100), spot)
        rival = shapely.box(x + 300, y + 320, x + 480, y + 470)
        for kind, shape, name in (
            ("hotspot", spot, f"Spot {index}"),
            ("ring", ring, f"Ring of {index}"),
            ("comparison", rival, f"Pair of {index}"),
        ):
            made.append(
                {
                    "place_id": f"{kind}-{index:02d}", "kind": kind, "group": "treated" if kind == "hotspot" else "comparison",
                    "target_id": None, "version": 1, "name": name, "town": "Exampleton",
                    "ring_inner_m": None, "ring_outer_m": None,
                    "first_treated": date(2021, 7, 26) if kind == "hotspot" else None, "treated_until": None,
                    "geometry": shapely.to_wkb(shape), "area_m2": shape.area,
                    "centre_easting_m": shape.centroid.x, "centre_northing_m": shape.centroid.y,
                }
            )  # fmt: skip
    schema = {name: column.dtype for name, column in Place.columns().items()}
    frame = Place.validate(pl.DataFrame(made, schema=schema), cast=True)
    return frame, shapely.to_wkb(shapely.Point(459_800, 304_800).buffer(4_000))


def contents(**more: object) -> ReportContents:
    found = more.pop("findings", None)
    found = findings() if found is None else found
    frame, area = places()
    facts = {
        "name": "Hot-spot patrols in Exampleshire",
        "force": "Exampleshire Police",
        "authors": ("A. Author", "B. Author"),
        "start": START,
        "cut_off": END,
        "exploratory": True,
        "stamp": "",
        "sponsor": "An invented funder",
        "contact": "team@example.org",
    }
    given = {
        "study": StudyFacts(**facts),
        "findings": found,
        "answers": answers(found),
        "places": frame,
        "area_wkb": area,
        "texts": {
            "background": "Patrols began in **July 2021**.\n\n- one\n- two\n\n<script>alert(1)</script>"
        },
        "receipts": pl.DataFrame(
            {
                "feed": ["crime", "crime", "response"],
                "path": ["data/crimes-1.csv", "data/crimes-2.csv", "data/survey.csv"],
                "sha256": ["a" * 64, "b" * 64, "c" * 64],
                "rows_in": [120_000, 8_000, 2_010],
                "rows_kept": [119_000, 7_990, 2_000],
                "rows_quarantined": [400, 10, 10],
                "rows_superseded": [600, 0, 0],
            }
        ),
        "notices": pl.DataFrame(
            {
                "feed": ["crime"],
                "code": ["months"],
                "severity": ["warning"],
                "message": ["One month was not supplied."],
                "mend": ["Ask for it."],
                "rows": [0],
            }
        ),
        "quarantine": pl.DataFrame(
            {
                "feed": ["crime"] * 3,
                "path": ["data/crimes-1.csv"] * 3,
                "source_row": [4, 9, 11],
                "column": ["at", "at", "easting_m"],
                "rule": ["is a time", "is a time", "in Great Britain"],
                "found": ["31/02/2020", "x", "12"],
                "expected": ["a day that exists", "a day that exists", "metres"],
                "mend": ["export again"] * 3,
            }
        ),
        "manifest": {"code_version": "0.1.0", "seed": 20210719, "plan": {"sha256": "d" * 64}},
    }
    return ReportContents(**{**given, **more})
