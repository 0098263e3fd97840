"""Whether night and day differ by how events of uncertain time are placed."""

from dataclasses import replace

import polars as pl

from placeproof import effects
from placeproof.study.counting import count_in_hours, night_hours
from placeproof.study.estimating import for_estimation, planned_outcomes
from placeproof.study.work import Work
from placeproof.tables import estimate

_SPOTS = ("hotspot", "comparison")

MOMENTS: dict[str, pl.Expr] = {
    "start": pl.col("occurred_from"),
    "middle": pl.col("occurred_from") + (pl.col("occurred_to") - pl.col("occurred_from")) / 2,
}
"""Where in its window an event of uncertain time is put, instead of spreading it evenly."""


def place_times_otherwise(work: Work) -> None:
    """
    Estimate night-time hours against the others with uncertain times put at one moment.

    Parameters
    ----------
    work : Work
        The run; estimates are added for each headline outcome with uncertain times: role
        robustness, horizon "times=start" or "times=middle". Where every time is exact there is
        nothing to vary.
    """
    if work.panel is None or not work.lock.outcomes_visible:
        return
    planned = planned_outcomes(work)
    for name in work.headline_outcomes():
        events = work.selected[name]
        nights = night_hours(work, work.plan.nte, events)
        if nights is None or not is_uncertain(events).any():
            continue
        like = work.panel.filter(pl.col("outcome") == name, pl.col("kind").is_in(_SPOTS))
        for moment in MOMENTS:
            moved = replace(work, selected={**work.selected, name: at_moment(events, moment)})
            counted = count_in_hours(moved, name, nights, like=like)
            made = effects.by_hours(
                for_estimation(work, counted),
                outcomes={name: planned[name]},
                nte=work.plan.nte,
                level=work.plan.level,
            )
            work.add(estimate.rows(made.with_columns(horizon=pl.lit(f"times={moment}")).to_dicts()))


def is_uncertain(events: pl.DataFrame) -> pl.Series:
    """
    Say which events happened some time within a window.

    Parameters
    ----------
    events : DataFrame
        With `occurred_from` and `occurred_to`; null: no time at all.

    Returns
    -------
    Series of Boolean
    """
    wide = (pl.col("occurred_to") > pl.col("occurred_from")).fill_null(value=False)
    return events.select(wide).to_series()


def at_moment(events: pl.DataFrame, moment: str) -> pl.DataFrame:
    """
    Put every event at one moment of its window.

    Parameters
    ----------
    events : DataFrame
        With `occurred_from` and `occurred_to`. Not modified.
    moment : str
        A key of `MOMENTS`.

    Returns
    -------
    DataFrame
        The same events with both times at that moment.
    """
    return events.with_columns(occurred_from=MOMENTS[moment], occurred_to=MOMENTS[moment])
