"""Attendances after assault, by whether the words of the patient give a place."""

import json

import polars as pl

from placeproof.effects.effect import overall
from placeproof.effects.first_set import HOT_SPOTS, SPOTS
from placeproof.effects.grid import checked, grid
from placeproof.effects.identified import why_not_identified, why_not_supplied
from placeproof.effects.rows import PlannedOutcome, Row, about, prevented_row, ratio_row, refused
from placeproof.effects.trend_rows import trend_rows
from placeproof.effects.unlocated import bounded
from placeproof.tables import estimate

OUTCOME = "ed_assaults_in_hot_spots"
LABEL = "Attendances after assault"
WHERE = {
    "hot spots": "in hot spots",
    "elsewhere": "at a known place elsewhere",
    "dwelling": "in a dwelling",
    "unlocated": "without a place",
}
PLANNED = PlannedOutcome("RQ10", LABEL, None, "headline", "ed_assault hotspot")


def by_place(where: pl.DataFrame) -> pl.DataFrame:
    """
    Count attendances by where the assault was, month by month.

    Parameters
    ----------
    where : DataFrame
        One row per attendance: `month` and `where`, a key of `WHERE`.

    Returns
    -------
    table `estimate`
        Counts by month and in all, and the share of each; role description.
    """
    rows: list[Row] = []
    total = where.height
    for kind, words in WHERE.items():
        mine = where.filter(pl.col("where") == kind)
        base: Row = {
            "question": "RQ10",
            "outcome": f"ed_assaults_{kind.replace(' ', '_')}",
            "outcome_label": f"{LABEL}, {words}",
            "population": "people at hospital",
            "method": "matching_to_gazetteer",
            "role": "description",
            "feeds": "ed_assault hotspot",
        }
        counted = mine.group_by("month").len().sort("month")
        rows += [
            {**base, "estimand": "count", "unit": "people", "horizon": f"{month:%Y-%m}",
             "estimate": float(count), "n": count, "n_events": float(count)}
            for month, count in counted.iter_rows()
        ]  # fmt: skip
        share = mine.height / total if total else 0.0
        rows.append({**base, "estimand": "share", "unit": "share", "estimate": share, "n": total})
    return estimate.rows(rows)


def attendance_effect(
    panel: pl.DataFrame,
    *,
    totals: pl.DataFrame,
    least_located: int,
    odds: float,
    level: float,
) -> pl.DataFrame:
    """
    Estimate the effect on attendances located in treated hot spots, with bounds for the others.

    Parameters
    ----------
    panel : table `panel`
        Located attendances by month, on the rows that the headline rests on, outcome `OUTCOME`.
        Not modified.
    totals : DataFrame
        `period_start`, `located`, `unlocated`: all attendances of each month.
    least_located : int
        Fewest attendances in treated hot spots from which an effect is estimated.
    odds : float
        As in `effects.unlocated.bounded`.
    level : float
        Coverage that intervals claim, between 0 and 1.

    Returns
    -------
    table `estimate`
        Question RQ10: `rate_ratio` (role headline), `events_prevented`, trend adjustment, slope,
        and the bounds; or one row that says why there is none.

    Raises
    ------
    ContractError
        If the panel breaks its contract.
    """
    whole = checked(panel)
    table = grid(whole, outcome=OUTCOME, hours="all", kinds=SPOTS)
    base: Row = {
        **about(PLANNED, OUTCOME, table, population=HOT_SPOTS, hours="all"),
        "role": "headline",
    }
    head: Row = {**base, "estimand": "rate_ratio", "method": "poisson_imputation_jackknife"}
    missing = why_not_supplied(table)
    if missing or table is None:
        return estimate.rows([refused(head, missing or "", status="not_supplied")])
    located = float(table.counts[table.patrolled].sum())
    if located < least_located:
        why = (
            f"Fewer than {least_located} attendances could be located in patrolled hot spots, so "
            "that no effect is estimated."
        )
        return estimate.rows([refused(head, why)])
    hurdle = why_not_identified(table)
    if hurdle:
        return estimate.rows([refused(head, hurdle)])
    effect = overall(table, level=level)
    beside: Row = {**base, "role": "beside"}
    rows = [
        ratio_row(base, effect, table, level=level),
        {**prevented_row(beside, effect, table, level=level), "unit": "people"},
        *trend_rows(beside, effect, table, level=level),
    ]
    bounds = bounded(
        whole, outcomes={OUTCOME: PLANNED}, totals={OUTCOME: totals}, odds=odds, level=level
    )
    return pl.concat([estimate.rows(rows), bounds])


def facts(where: pl.DataFrame) -> str:
    """
    Say how attendances were located, without a word of theirs.

    Parameters
    ----------
    where : DataFrame
        As in `by_place`, with `status` of the match.

    Returns
    -------
    str
        A JSON object: status to number.
    """
    counted = where.group_by("status").len().sort("status")
    return json.dumps(dict(counted.iter_rows()), sort_keys=True)
