"""Rows about the dose: minutes, persons, visits, intensity, gaps; by hours, month and place."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from placeproof.patrols.rows import BELOW, Row, base_row, window_of

OF_PATHS = {
    "order_free": (
        "pings_occupied_with_interval",
        "One ping interval was added to each visit for time that pings do not show.",
    ),
    "crossings": (
        "pings_occupied_crossings",
        "Moments of coming and going were estimated from the pings around them.",
    ),
}
"""By the method of table `visit`: what minutes are called, and what is said of them."""
_NOT_KNOWN = "It is not known for any day."


@dataclass(frozen=True)
class Measure:
    """
    What a row says of some place-days and hours.

    Attributes
    ----------
    outcome, label, estimand, method, unit, feeds : str
        Columns of table `estimate`.
    value : expression
        Aggregates rows of table `dose`; null where nothing is known.
    known : expression of bool
        Which rows it rests on.
    reason : str or None
        What limits it.
    by_place_and_month : bool
        Whether each place's months have rows, too.
    """

    outcome: str
    label: str
    estimand: str
    method: str
    unit: str
    feeds: str
    value: pl.Expr
    known: pl.Expr
    reason: str | None = None
    by_place_and_month: bool = False


def dose_rows(
    dose: pl.DataFrame, *, nte_id: str, ping_interval_s: float | None, made_by: str
) -> list[Row]:
    """
    What pings say of the dose: in all hours, under every set of hours, by month and by place.

    Parameters
    ----------
    dose : table `dose`
        Source pings.
    nte_id : str
        Preset by whose hours months and places are split, too.
    ping_interval_s : float or None
        Reported with it.
    made_by : {"order_free", "crossings"}
        Method of the visits.

    Returns
    -------
    list of rows for table `estimate`
        `n` is the number of place-days: places whose outline held, on days on which any device
        reported.
    """
    said: dict[str, object] = {
        "days_observed": dose["operating_day"].n_unique(),
        "includes_background_presence": True,
        "ping_interval_s": ping_interval_s,
    }
    if (error := _error_of_all(dose)) is not None:
        said["measurement_sd_minutes"] = error
    rows = measure_rows(dose, _of_pings(*OF_PATHS[made_by]), nte_id=nte_id, population="hot spots")
    return [row | {"diagnostics": json.dumps(said, sort_keys=True)} for row in rows]


def raw_rows(minutes: pl.DataFrame) -> list[Row]:
    """
    Minutes from the first to the last ping of each visit, in all and by month.

    Parameters
    ----------
    minutes : DataFrame
        `place_id`, `operating_day`, `minutes`, as `minutes.delivered_minutes` gives them.

    Returns
    -------
    list of rows for table `estimate`
    """
    measure = Measure(
        "delivered_minutes", "Minutes in which somebody was in the hot spot, tasked or not",
        "minutes", "pings_occupied_raw", "minutes", "ping hotspot", pl.col("minutes").sum(),
        pl.lit(True), BELOW,
    )  # fmt: skip
    whole = minutes.rename({"place_id": "hotspot_id"}).with_columns(hours=pl.lit("all"))
    rows = measure_rows(whole, [measure], nte_id=None, population="hot spots")
    return [row for row in rows if "subgroup" not in row]


def other_dose_rows(dose: pl.DataFrame, *, nte_id: str) -> list[Row]:
    """
    Minutes that others state, each deliverer for itself, and minutes of both sources together.

    Parameters
    ----------
    dose : table `dose`
        Source delivered or reconciled.
    nte_id : str

    Returns
    -------
    list of rows for table `estimate`
        Hours are those of statements with times.
    """
    rows: list[Row] = []
    stated = dose.filter(pl.col("source") == "delivered")
    for by in stated["delivered_by"].unique().sort():
        own = stated.filter(pl.col("delivered_by") == by)
        population = f"hot spots, stated by {by}"
        rows += measure_rows(own, _of_statements(), nte_id=nte_id, population=population)
    both = dose.filter(pl.col("source") == "reconciled")
    if both.is_empty():
        return rows
    return rows + measure_rows(both, _of_both(), nte_id=nte_id, population="hot spots")


def ring_rows(dose: pl.DataFrame, *, nte_id: str, population: str, made_by: str) -> list[Row]:
    """
    Minutes of presence in a ring around the hot spots.

    Parameters
    ----------
    dose : table `dose`
        Of visits to the ring's outlines.
    nte_id : str
    population : str
        Which ring, as "ring 0-100 m".
    made_by : {"order_free", "crossings"}
        Method of the visits.

    Returns
    -------
    list of rows for table `estimate`
    """
    occupied, added = OF_PATHS[made_by]
    measure = Measure(
        "ring_minutes",
        "Minutes in which somebody was in the ring",
        "minutes",
        occupied,
        "minutes in rings",
        "ping hotspot",
        pl.col("patrol_minutes").sum(),
        pl.lit(True),
        added,
    )
    return measure_rows(dose, [measure], nte_id=nte_id, population=population)


def measure_rows(
    dose: pl.DataFrame, measures: Sequence[Measure], *, nte_id: str | None, population: str
) -> list[Row]:
    """
    Make rows of measures: in all under all hours, by month and by place under those pinned.

    Parameters
    ----------
    dose : table `dose`
        Of one source, and of one deliverer.
    measures : sequence of Measure
    nte_id : str or None
        Preset that is pinned; None: months and places by all hours only.
    population : str

    Returns
    -------
    list of rows for table `estimate`
        Where nothing is known, one row that says so.
    """
    rows: list[Row] = []
    pinned = ["all", *([] if nte_id is None else [f"nte:{nte_id}", f"other:{nte_id}"])]
    held = dose.with_columns(
        horizon=pl.col("operating_day").dt.strftime("%Y-%m"),
        subgroup=pl.concat_str(pl.lit("hotspot="), "hotspot_id"),
    )
    few = held.filter(pl.col("hours").is_in(pinned))
    whole = held.filter(pl.col("hours") == "all")
    days = window_of(dose["operating_day"])
    for measure in measures:
        levels = [(held, ["hours"]), (few, ["hours", "horizon"]), (few, ["hours", "subgroup"])]
        if measure.by_place_and_month:
            levels.append((whole, ["horizon", "subgroup"]))
        base = row_of(measure, population)
        found = [row for frame, keys in levels for row in _grouped(frame, keys, measure)]
        rows += [base | days | row for row in found]
        if not found:
            rows.append(base | nothing(_NOT_KNOWN))
    return rows


def _grouped(frame: pl.DataFrame, keys: list[str], measure: Measure) -> list[Row]:
    found = (
        frame.filter(measure.known)
        .group_by(keys, maintain_order=True)
        .agg(
            estimate=measure.value.cast(pl.Float64),
            n=pl.len().cast(pl.Int64),
            n_places=pl.col("hotspot_id").n_unique().cast(pl.Int64),
        )
        .drop_nulls("estimate")
        .filter(pl.col("estimate").is_finite())
        .sort(keys)
    )
    return found.to_dicts()


def row_of(measure: Measure, population: str) -> Row:
    """
    Begin a row of a measure.

    Parameters
    ----------
    measure : Measure
    population : str

    Returns
    -------
    row for table `estimate`, without a number
    """
    return base_row(
        measure.outcome,
        measure.label,
        measure.estimand,
        measure.method,
        measure.unit,
        measure.feeds,
    ) | {"population": population, "reason": measure.reason}


def nothing(reason: str) -> Row:
    """
    Say why a measure has no number.

    Parameters
    ----------
    reason : str

    Returns
    -------
    row
        What it adds to a row.
    """
    return {"status": "not_identified", "reason": reason, "n": 0}


def _error_of_all(dose: pl.DataFrame) -> float | None:
    errors = dose.filter(pl.col("hours") == "all")["patrol_minutes_sd"]
    if errors.is_empty() or errors.null_count():
        return None
    return round(float((errors**2).sum()) ** 0.5, 3)


def _of_pings(occupied: str, added: str) -> list[Measure]:
    patrol, length = pl.col("patrol_minutes"), pl.col("minutes_in_hours")
    always, exists = pl.lit(True), length > 0
    feeds = "ping hotspot"
    visits = pl.col("visits").sum()
    return [
        Measure(
            "delivered_minutes", "Minutes in which somebody was in the hot spot, tasked or not",
            "minutes", occupied, "minutes", feeds, patrol.sum(), always, added, True,
        ),
        Measure(
            "person_minutes", "Minutes of all officers together", "minutes", "pings_persons",
            "person-minutes", feeds, pl.col("person_minutes").sum(),
            pl.col("person_minutes").is_not_null(),
            "Each device is taken as an officer; crews with one device count once unless a log "
            "states them.",
        ),
        Measure(
            "additional_presence", "Minutes of presence that tasking asked for", "share",
            "presence_in_tasked_windows", "share", f"{feeds} tasking",
            pl.col("additional_minutes").sum() / patrol.sum(),
            pl.col("additional_minutes").is_not_null(),
            "The rest is background: police who were there without being asked.",
        ),
        Measure(
            "visible_presence", "Minutes of presence on foot and outside premises", "share",
            "pings_visible", "share", feeds, pl.col("visible_minutes").sum() / patrol.sum(),
            pl.col("visible_minutes").is_not_null(), "By a rule on speed, not by seeing anybody.",
        ),
        Measure(
            "place_days_patrolled", "Place-days on which somebody was there", "share", "pings",
            "share", feeds, (patrol > 0).mean(), exists,
        ),
        Measure(
            "presences", "Times somebody came, devices together counted once", "count", "pings",
            "visits", feeds, visits, always,
        ),
        Measure(
            "visits_per_day", "Visits to a place on a day", "mean", "pings", "visits per day",
            feeds, pl.col("visits").mean(), exists,
        ),
        Measure(
            "visit_length", "Length of a visit, devices together counted once", "mean", occupied,
            "minutes per visit", feeds,
            (pl.col("mean_visit_minutes") * pl.col("visits")).sum() / visits, always, added,
        ),
        Measure(
            "intensity", "Minutes for each 1,000 square metres on a day", "mean", occupied,
            "minutes per 1,000 m2 and day", feeds, pl.col("minutes_per_1000_m2").mean(),
            exists & pl.col("minutes_per_1000_m2").is_not_null(), added,
        ),
        Measure(
            "longest_gap", "Longest time of a day without anybody", "mean", "pings",
            "minutes without anybody", feeds, pl.col("longest_gap_minutes").mean(), exists,
        ),
    ]  # fmt: skip


def _of_statements() -> list[Measure]:
    return [
        Measure(
            "stated_minutes", "Patrol-minutes as stated ready-made", "minutes",
            "stated_joined", "minutes as stated", "delivered", pl.col("patrol_minutes").sum(),
            pl.lit(True), "Stated, not measured. Hours are known only of statements with times.",
        ),
        Measure(
            "person_minutes", "Minutes of all officers together", "minutes", "stated_joined",
            "person-minutes", "delivered", pl.col("person_minutes").sum(),
            pl.col("person_minutes").is_not_null(), "Stated, not measured.",
        ),
    ]  # fmt: skip


def _of_both() -> list[Measure]:
    return [
        Measure(
            "reconciled_minutes", "Patrol-minutes, measured or stated", "minutes", "reconciled",
            "minutes of both sources", "ping delivered hotspot", pl.col("patrol_minutes").sum(),
            pl.lit(True),
            "Pings where any device reported that day, statements elsewhere; those without GPS "
            "come on top. Days with a statement without times are in no hours but all.",
        ),
        Measure(
            "reconciled_person_minutes", "Minutes of all officers, measured or stated", "minutes",
            "reconciled", "person-minutes", "ping delivered hotspot",
            pl.col("person_minutes").sum(), pl.col("person_minutes").is_not_null(),
        ),
    ]  # fmt: skip
