"""A panel as arrays: places down, periods across, and which cell patrols had reached."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from dataframely.exc import SchemaError, ValidationError

from placeproof.errors import ContractError
from placeproof.tables import Panel

NEVER = np.iinfo(np.int64).min
CELL = ("place_id", "period_start", "outcome", "hours")


@dataclass(frozen=True)
class Grid:
    """Counts of one outcome and hours for n places and T periods, both sorted."""

    places: tuple[str, ...]
    cohorts: tuple[date | None, ...]
    """First day of patrols in each place; None: never."""
    patrolled: np.ndarray
    """(n,) bool: the place belongs to the treated group."""
    period_starts: tuple[date, ...]
    period_ends: tuple[date, ...]
    period_kind: str
    counts: np.ndarray
    """(n, T) float; 0 where nothing was supplied: read it with `observed`."""
    observed: np.ndarray
    """(n, T) bool: a count was supplied."""
    before: np.ndarray
    """(n, T) bool: wholly before patrols, or never patrolled."""
    after: np.ndarray
    """(n, T) bool: wholly at or after the first day of patrols. Partial periods are in neither."""
    event_time: np.ndarray
    """(n, T) int: periods since the one that holds the first day; NEVER where there is none."""

    @property
    def paths(self) -> np.ndarray:
        """(n, 2T) bool: what is permuted, the whole course of being patrolled or not."""
        return np.hstack([self.before, self.after])


def checked(panel: pl.DataFrame) -> pl.DataFrame:
    """
    Hold a panel against its contract before any number is made from it.

    Parameters
    ----------
    panel : table `panel`
        One row per place, period, outcome and hours. Any order. Not modified.

    Returns
    -------
    table `panel`
        The same rows.

    Raises
    ------
    ContractError
        If a column is missing or of the wrong type, a count is negative or not a number, two
        rows describe one cell, or periods of different length are mixed.
    """
    try:
        valid = Panel.validate(panel, cast=False)
    except (SchemaError, ValidationError) as error:
        raise ContractError(
            f"the table panel does not meet its contract: {error}",
            mend="make the panel again from the counts; do not edit it by hand",
        ) from error
    repeats = valid.group_by(*CELL).len().filter(pl.col("len") > 1).sort(*CELL)
    if repeats.height:
        first = repeats.row(0, named=True)
        raise ContractError(
            f"the table panel has {repeats.height} cells more than once, the first is place "
            f"{first['place_id']}, period {first['period_start']}, outcome {first['outcome']}, "
            f"hours {first['hours']}; expected one row for each",
            mend="count each event once: join the panels before they are handed over",
        )
    kinds = valid["period_kind"].unique().sort().to_list()
    if len(kinds) > 1:
        raise ContractError(
            f"the table panel mixes periods of {', '.join(kinds)}; expected one length",
            mend="hand over the panel of the period that the plan names under [effects] period",
        )
    return valid


def grid(panel: pl.DataFrame, *, outcome: str, hours: str, kinds: Collection[str]) -> Grid | None:
    """
    Lay the counts of one outcome, one set of hours and some kinds of place out as arrays.

    Parameters
    ----------
    panel : table `panel`
        As `checked` returns it.
    outcome : str
        Id of the outcome.
    hours : str
        "all", "nte" or "other".
    kinds : collection of str
        Kinds of place that take part, such as hotspot and comparison.

    Returns
    -------
    Grid or None
        None where the panel has no such row.
    """
    cells = _compared(panel, outcome, hours).filter(pl.col("kind").is_in(sorted(kinds)))
    return _laid_out(cells) if cells.height else None


def _compared(panel: pl.DataFrame, outcome: str, hours: str) -> pl.DataFrame:
    """Cells of one outcome and hours in places that take part in the comparison."""
    return panel.filter(
        (pl.col("outcome") == outcome) & (pl.col("hours") == hours) & (pl.col("group") != "other")
    )


_RINGS = ("ring", "comparison_ring")


def _sum_if_supplied() -> pl.Expr:
    """The sum of counts; not supplied where any of them is."""
    return pl.when(pl.col("count").is_null().any()).then(None).otherwise(pl.col("count").sum())


def joined(panel: pl.DataFrame, *, outcome: str, hours: str) -> Grid | None:
    """
    Lay out each hot spot or comparison place together with its rings as one place.

    Parameters
    ----------
    panel : table `panel`
        As `checked` returns it.
    outcome : str
        Id of the outcome.
    hours : str
        "all", "nte" or "other".

    Returns
    -------
    Grid or None
        Counts of place and rings summed; not supplied where any part is. None where there are
        no rings.
    """
    cells = _compared(panel, outcome, hours)
    rings = cells.filter(pl.col("kind").is_in(_RINGS))
    if not rings.height:
        return None
    targets = cells.filter(pl.col("kind").is_in(["hotspot", "comparison"]))
    around = rings.group_by(pl.col("target_id").alias("place_id"), "period_start").agg(
        ring=_sum_if_supplied()
    )
    whole = targets.join(around, on=["place_id", "period_start"], how="inner").with_columns(
        count=pl.col("count") + pl.col("ring")
    )
    return _laid_out(whole.drop("ring")) if whole.height else None


def rings_together(panel: pl.DataFrame, *, outcome: str, hours: str) -> Grid | None:
    """
    Lay the rings of each hot spot or comparison place out as one place, without the place itself.

    Parameters
    ----------
    panel : table `panel`
        As `checked` returns it.
    outcome : str
        Id of the outcome.
    hours : str
        "all", "nte" or "other".

    Returns
    -------
    Grid or None
        Places are named by what the rings lie around; not supplied where any ring is. None where
        there are no rings.
    """
    cells = _compared(panel, outcome, hours).filter(
        pl.col("kind").is_in(_RINGS) & pl.col("target_id").is_not_null()
    )
    if not cells.height:
        return None
    keys = ["target_id", "period_start"]
    whole = cells.sort("place_id", "period_start").group_by(keys, maintain_order=True).agg(
        _sum_if_supplied().alias("count"),
        pl.col("group", "period_kind", "period_end", "first_treated", "treated", "event_time")
        .first(),
    )  # fmt: skip
    return _laid_out(whole.rename({"target_id": "place_id"}))


def ring_grids(
    panel: pl.DataFrame, *, outcome: str, bands: Mapping[str, str]
) -> list[tuple[str, Grid]]:
    """
    Lay the rings of each band of distance out as arrays.

    Parameters
    ----------
    panel : table `panel`
        As `checked` returns it.
    outcome : str
        Id of the outcome.
    bands : mapping of str to str
        Place id of each ring to its band in words. Rings not named there are taken together as
        "any distance".

    Returns
    -------
    list of (str, Grid)
        By band; those without any count are left out.
    """
    rings = panel.filter(pl.col("kind").is_in(["ring", "comparison_ring"]))
    named = rings.with_columns(
        band=pl.col("place_id").replace_strict(bands, default="any distance")
        if bands
        else pl.lit("any distance")
    )
    made = []
    for band in named["band"].unique().sort().to_list():
        cells = named.filter(pl.col("band") == band)
        table = grid(cells, outcome=outcome, hours="all", kinds=("ring", "comparison_ring"))
        if table is not None and table.observed.any():
            made.append((band, table))
    return made


def only(table: Grid, keep: np.ndarray) -> Grid:
    """
    Keep some of the places.

    Parameters
    ----------
    table : Grid
        Not modified.
    keep : array of bool, shape (n,)
        Which places stay.

    Returns
    -------
    Grid
        The rows of those places, in the same order.
    """
    chosen = np.flatnonzero(keep)
    return Grid(
        places=tuple(table.places[i] for i in chosen),
        cohorts=tuple(table.cohorts[i] for i in chosen),
        patrolled=table.patrolled[chosen],
        period_starts=table.period_starts,
        period_ends=table.period_ends,
        period_kind=table.period_kind,
        counts=table.counts[chosen],
        observed=table.observed[chosen],
        before=table.before[chosen],
        after=table.after[chosen],
        event_time=table.event_time[chosen],
    )


def _laid_out(cells: pl.DataFrame) -> Grid:
    periods = cells.select("period_start", "period_end").unique().sort("period_start")
    starts = periods["period_start"].to_list()
    places = cells.group_by("place_id").agg(
        pl.col("first_treated").first(), pl.col("group").first()
    )
    places = places.sort("place_id")
    names = places["place_id"].to_list()
    row = cells["place_id"].replace_strict(_index(names), return_dtype=pl.Int64).to_numpy()
    column = cells["period_start"].replace_strict(_index(starts), return_dtype=pl.Int64).to_numpy()
    shape = (len(names), len(starts))
    supplied = cells["count"].is_not_null().to_numpy()
    counts = np.zeros(shape)
    counts[row, column] = cells["count"].fill_null(0.0).to_numpy()
    observed = np.zeros(shape, dtype=bool)
    observed[row, column] = supplied
    before, after = _courses(places["first_treated"].to_list(), periods)
    before[row, column] = (~cells["treated"]).fill_null(False).to_numpy()
    after[row, column] = cells["treated"].fill_null(False).to_numpy()
    event_time = np.full(shape, NEVER)
    event_time[row, column] = cells["event_time"].fill_null(NEVER).to_numpy()
    return Grid(
        places=tuple(names),
        cohorts=tuple(places["first_treated"].to_list()),
        patrolled=(places["group"] == "treated").to_numpy(),
        period_starts=tuple(starts),
        period_ends=tuple(periods["period_end"].to_list()),
        period_kind=str(cells["period_kind"][0]),
        counts=counts,
        observed=observed,
        before=before,
        after=after,
        event_time=event_time,
    )


def _courses(
    first_treated: list[date | None], periods: pl.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    # Where a place has no row its course is taken from its start, because permutations hand whole
    # courses around.
    starts = periods["period_start"].to_numpy().astype("datetime64[D]")
    ends = periods["period_end"].to_numpy().astype("datetime64[D]")
    first = np.array([d or date.max for d in first_treated], dtype="datetime64[D]")[:, None]
    return ends[None, :] < first, starts[None, :] >= first


def _index(values: list[object]) -> Mapping[object, int]:
    return {value: position for position, value in enumerate(values)}
