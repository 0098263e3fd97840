"""What people believe about crime in an area, beside what was recorded there."""

import json

import numpy as np
import polars as pl
from scipy import stats

from placeproof.surveys.designs import Design
from placeproof.surveys.levels import ASSOCIATION, Row


def belief_beside_recorded(
    design: Design, recorded: pl.DataFrame, *, recorded_label: str, min_people: int
) -> list[Row]:
    """
    Compare the ranking of areas by believed crime with their ranking by recorded events.

    Parameters
    ----------
    design : Design
        People analysed together.
    recorded : DataFrame
        `hotspot_id`, `events`: recorded events of each area in a stated window; null where not
        supplied. Not modified.
    recorded_label : str
        Which events, in words.
    min_people : int
        Areas with fewer answers are left out of the ranking.

    Returns
    -------
    list of rows for table `estimate`
        Mean belief and recorded events of each area, and Spearman's rank correlation over areas.
        Areas are few and were chosen for their crime: it describes them and no others.
    """
    areas = (
        design.people.filter(pl.col("crime_belief").is_not_null())
        .group_by("hotspot_id")
        .agg(belief=_weighted_mean(design), people=pl.len())
        .join(recorded.select("hotspot_id", "events"), on="hotspot_id", how="left")
        .sort("hotspot_id")
    )
    both = areas.filter(pl.col("events").is_not_null(), pl.col("people") >= min_people)
    shown = [
        row
        for area in areas.iter_rows(named=True)
        for row in _area_rows(design, area, recorded_label)
    ]
    return [*shown, _rank_row(design, both, recorded_label, min_people)]


def _weighted_mean(design: Design) -> pl.Expr:
    belief, weight = pl.col("crime_belief"), pl.col("base_weight")
    if design.weighting != "weighted":
        return belief.mean()
    return (belief * weight).sum() / weight.sum()


def _area_rows(design: Design, area: dict[str, object], recorded_label: str) -> list[Row]:
    shared: Row = {
        "question": "RQ4",
        "subgroup": f"hotspot={area['hotspot_id']}",
        "n_places": 1,
        "role": "beside",
    }
    belief = area["belief"]
    identified = isinstance(belief, float) and np.isfinite(belief)
    said = shared | {
        "outcome": "crime_belief_by_area",
        "outcome_label": "How much crime people believe there is: 1 very little, 5 very much",
        "population": design.label,
        "estimand": "mean",
        "method": "weighted_mean" if design.weighting == "weighted" else "plain_mean",
        "estimate": belief if identified else None,
        "n": area["people"],
        "unit": "scale 1-5",
        "status": "estimated" if identified else "not_identified",
        "reason": "One area: no interval can be made with areas as clusters."
        if identified
        else "All base weights of this area are zero.",
        "feeds": "response consent response_flag",
    }
    counted = shared | {
        "outcome": "recorded_beside_belief",
        "outcome_label": recorded_label,
        "population": design.label,
        "estimand": "count",
        "method": "count",
        "estimate": area["events"],
        "n_events": area["events"],
        "unit": "events",
        "status": "estimated" if area["events"] is not None else "not_supplied",
        "reason": None if area["events"] is not None else "No recorded events for this area.",
        "feeds": "panel",
    }
    return [said, counted]


def _rank_row(design: Design, both: pl.DataFrame, recorded_label: str, min_people: int) -> Row:
    row: Row = {
        "question": "RQ4",
        "outcome": "crime_belief_against_recorded",
        "outcome_label": f"Whether areas where people believe there is more crime have more: "
        f"{recorded_label}",
        "population": design.label,
        "estimand": "rank_correlation",
        "method": "spearman_over_areas",
        "role": "beside",
        "n": int(both["people"].sum()),
        "n_places": both.height,
        "unit": "correlation",
        "diagnostics": json.dumps({"min_people_per_area": min_people}, sort_keys=True),
        "feeds": "response consent response_flag panel",
    }
    varied = both.height >= 3 and both["belief"].n_unique() > 1 and both["events"].n_unique() > 1
    if not varied:
        return row | {
            "status": "not_identified",
            "reason": f"It takes three areas that differ, with at least {min_people} answers each.",
        }
    found = stats.spearmanr(both["belief"].to_numpy(), both["events"].to_numpy())
    return row | {"estimate": float(found.statistic), "reason": ASSOCIATION}
