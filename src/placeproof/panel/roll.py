"""Days added up to weeks and months."""

import polars as pl

from placeproof import calendar
from placeproof.errors import SettingsError
from placeproof.panel.build import PeriodKind, exposure
from placeproof.tables import Panel


def roll(panel: pl.DataFrame, *, to: PeriodKind) -> pl.DataFrame:
    """
    Add a panel of days up to weeks or months.

    Parameters
    ----------
    panel : table `panel`
        Of period kind `day`. Not modified.
    to : "week" or "month"
        Longer period; only those that the days cover wholly come out.

    Returns
    -------
    table `panel`
        Counts and minutes are sums; null where any of the days has null. Sorted as `build` does.

    Raises
    ------
    SettingsError
        If the panel is not one of days: weeks do not fit into months.
    """
    if set(panel["period_kind"]) - {"day"} or to == "day":
        raise SettingsError(
            "only a panel of days can be added up, to weeks or to months.",
            mend="Build the panel by day first.",
        )
    day = pl.col("period_start")
    keys = ["place_id", "outcome", "hours"]
    amounts = ("count", "planned_minutes", "delivered_minutes")
    rolled = (
        panel.with_columns(
            _start=calendar.period_start(day, kind=to), _end=calendar.period_end(day, kind=to)
        )
        .sort(*keys, "period_start")
        .group_by(*keys, "_start", "_end", maintain_order=True)
        .agg(
            pl.col("kind", "group", "target_id", "first_treated").first(),
            *(
                pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name)
                for name in amounts
            ),
            _days=pl.len(),
        )
        .filter(pl.col("_days") == (pl.col("_end") - pl.col("_start")).dt.total_days() + 1)
        .with_columns(period_start="_start", period_end="_end", period_kind=pl.lit(to))
        .with_columns(**exposure(to))
    )
    return Panel.validate(rolled.select(Panel.column_names()), cast=True).sort(
        "outcome", "place_id", "period_start", "hours"
    )
