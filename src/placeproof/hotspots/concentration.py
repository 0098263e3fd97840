"""How concentrated crime is at places, and whether the hottest places stay the hottest."""

import json
from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from placeproof.tables import estimate

Numbers = Sequence[float] | npt.NDArray[np.float64] | pl.Series


def top_share(counts: Numbers, *, top: int) -> float:
    """
    Share of all events that the `top` places with most events hold.

    The same events choose the places and are counted in them, so the share lies above what the
    same places will hold later: noise puts a place on top, too.

    Parameters
    ----------
    counts : sequence of float
        Events (or harm) of each place, places without any included.
    top : int
        Number of places.

    Returns
    -------
    float
        Between 0 and 1; not a number where there are no events.
    """
    values = np.sort(np.asarray(counts, dtype=float))[::-1]
    total = values.sum()
    return float(values[:top].sum() / total) if total > 0 else float("nan")


def lorenz(counts: Numbers, *, events: int) -> pl.DataFrame:
    """
    Cumulate places from the hottest down, beside the most equal spread that so few events allow.

    Parameters
    ----------
    counts : sequence of float
        Events (or harm) of each place, places without any included.
    events : int
        Number of events behind the counts; for plain counts their sum.

    Returns
    -------
    DataFrame
        One row for 0 and for each place: `share_of_places`, `share_of_events` and `most_equal`
        (each event in a place of its own until places or events run out). No rows without events.

    Sources
    -------
    Bernasco and Steenbeek (2017), abstract, and the vignette of their R package lorenzgini: the
    observed curve is held against maximal equality given the data, from (0, 0) to
    (events / places, 1) where events are fewer than places.
    """
    values = np.sort(np.asarray(counts, dtype=float))[::-1]
    schema = {
        "share_of_places": pl.Float64,
        "share_of_events": pl.Float64,
        "most_equal": pl.Float64,
    }
    if len(values) == 0 or values.sum() <= 0:
        return pl.DataFrame(schema=schema)
    share = np.arange(len(values) + 1) / len(values)
    reach = min(1.0, events / len(values))
    return pl.DataFrame(
        {
            "share_of_places": share,
            "share_of_events": np.concatenate([[0.0], np.cumsum(values) / values.sum()]),
            "most_equal": np.minimum(1.0, share / reach),
        },
        schema=schema,
    )


def gini_corrected(counts: Numbers, *, events: int) -> float:
    """
    Gini coefficient of events over places, held against the most equal spread possible.

    With fewer events than places most places must stay empty and the plain coefficient is high
    even if every event stands alone. Here 0 is the most equal spread that the number of events
    allows and 1 is everything in one place of very many. Equals the plain coefficient where events
    are at least as many as places. The line of equality is that of events of equal weight: for
    harm scores the coefficient includes how unequal single events are.

    Parameters
    ----------
    counts : sequence of float
        Events (or harm) of each place, places without any included.
    events : int
        Number of events behind the counts.

    Returns
    -------
    float
        Not a number where there are no events or no places.

    Sources
    -------
    Definition as in `lorenz`. The area above the observed curve is (1 - G) / 2, that above the
    line of maximal equality is events / places / 2: hence 1 - (1 - G) max(1, places / events).

    Examples
    --------
    Ten places, five events, three of them in one place:

    >>> round(gini_corrected([3, 1, 1, 0, 0, 0, 0, 0, 0, 0], events=5), 2)
    0.56
    """
    values = np.sort(np.asarray(counts, dtype=float))
    total, n = values.sum(), len(values)
    if n == 0 or total <= 0 or events <= 0:
        return float("nan")
    ranks = np.arange(1, n + 1)
    plain = 2.0 * float((ranks * values).sum()) / (n * total) - (n + 1) / n
    return 1.0 - (1.0 - plain) * max(1.0, n / events)


def concentration(
    counts: pl.DataFrame,
    *,
    top: Sequence[int],
    outcome: str,
    outcome_label: str,
    definition_edition: str | None,
    population: str,
    window: tuple[date, date],
    feeds: str,
) -> pl.DataFrame:
    """
    Describe how concentrated an outcome is over places.

    Parameters
    ----------
    counts : DataFrame
        One row per place, empty places included: `count` (events or harm; null: not supplied) and
        `events` (rows behind it). Not modified.
    top : sequence of int
        For which numbers of hottest places the share is wanted.
    outcome, outcome_label : str
        Which outcome, by id and in words.
    definition_edition : str or None
        Definition that was used.
    population : str
        What the places are, for example "200 m cells of the force area".
    window : (date, date)
        First and last day of the data.
    feeds : str
        Canonical tables behind the counts.

    Returns
    -------
    table `estimate`
        Question `places`: `top_share` for each number in `top` (horizon "top=24"), `gini_plain`
        and `gini_corrected`. Status `not_supplied` or `not_identified` with the reason where
        counts are missing or there are no events.
    """
    known = counts.drop_nulls("count")
    events = int(known["events"].sum()) if len(known) else 0
    base = {
        "question": "places",
        "outcome": outcome,
        "outcome_label": outcome_label,
        "definition_edition": definition_edition,
        "population": population,
        "window_start": window[0],
        "window_end": window[1],
        "unit": "share",
        "n": len(known),
        "n_places": len(known),
        "n_events": float(events),
        "feeds": feeds,
    }
    absence = _absence(counts, known, events)
    values = known["count"].to_numpy()
    figures = [("top_share", f"top={n}", top_share(values, top=n)) for n in top]
    figures += [
        ("gini_plain", "all", gini_corrected(values, events=max(events, len(known)))),
        ("gini_corrected", "all", gini_corrected(values, events=events)),
    ]
    diagnostics = json.dumps({"places_without_events": int((values == 0).sum())}, sort_keys=True)
    return estimate.rows(
        [
            base
            | {"estimand": estimand, "method": "lorenz_over_places", "horizon": horizon}
            | {"diagnostics": diagnostics}
            | (absence or {"estimate": value})
            for estimand, horizon, value in figures
        ]
    )


def _absence(counts: pl.DataFrame, known: pl.DataFrame, events: int) -> dict[str, object] | None:
    if counts.is_empty():
        return {"status": "not_identified", "reason": "There are no places to count in."}
    if known.is_empty():
        return {"status": "not_supplied", "reason": "No count was supplied for any place."}
    if events == 0:
        return {
            "status": "not_identified",
            "reason": "There are no events in the window, so nothing can be concentrated.",
        }
    return None


def persistence(
    before: pl.DataFrame,
    after: pl.DataFrame,
    *,
    hotspot_ids: Sequence[str],
    outcome: str,
    outcome_label: str,
    definition_edition: str | None,
    windows: tuple[tuple[date, date], tuple[date, date]],
    feeds: str,
) -> pl.DataFrame:
    """
    Ask whether the hot spots were the hottest places, and whether they still are.

    Places chosen because they were hot are on average less hot later, patrols or not (regression
    to the mean). A fall in rank is therefore described here, never called an effect.

    Parameters
    ----------
    before, after : DataFrame
        `place_id` and `count` of hot spots and of the places they compete with (candidates), of
        the same size, in the window of selection and in a later one. Not modified.
    hotspot_ids : sequence of str
        Which of the places are hot spots.
    outcome, outcome_label : str
        Which outcome, by id and in words.
    definition_edition : str or None
        Definition that was used.
    windows : ((date, date), (date, date))
        First and last day of both windows.
    feeds : str
        Canonical tables behind the counts.

    Returns
    -------
    table `estimate`
        Question `places`: `rank_before` and `rank_after` for each hot spot (rank 1 is the hottest;
        equal counts share the mean rank; horizon "hotspot=ID"), `share_still_among_hottest` (of
        the hot spots, those that are later among as many hottest places as there are hot spots)
        and `rank_correlation` over all places.
    """
    both = (
        before.select("place_id", before="count")
        .join(after.select("place_id", after="count"), on="place_id")
        .drop_nulls()
        .sort("place_id")
        .with_columns(
            rank_before=pl.col("before").rank("average", descending=True),
            rank_after=pl.col("after").rank("average", descending=True),
        )
    )
    hot = both.filter(pl.col("place_id").is_in(list(hotspot_ids)))
    base = {
        "question": "places",
        "outcome": outcome,
        "outcome_label": outcome_label,
        "definition_edition": definition_edition,
        "population": "treated hot spots",
        "method": "rank_among_places",
        "n": len(both),
        "n_places": len(hot),
        "feeds": feeds,
        "window_start": windows[0][0],
        "window_end": windows[1][1],
        "reason": "Places chosen for being hot are on average less hot later, patrols or not.",
    }
    rows: list[dict[str, object]] = []
    for row in hot.to_dicts():
        for which, window in zip(("before", "after"), windows, strict=True):
            rows.append(
                base
                | {
                    "estimand": f"rank_{which}",
                    "horizon": f"hotspot={row['place_id']}",
                    "estimate": float(row[f"rank_{which}"]),
                    "unit": "rank",
                    "n_events": float(row[which]),
                    "window_start": window[0],
                    "window_end": window[1],
                }
            )
    return estimate.rows(rows + [base | figure for figure in _persistence_figures(both, hot)])


def _persistence_figures(both: pl.DataFrame, hot: pl.DataFrame) -> list[dict[str, object]]:
    nothing: dict[str, object] = {
        "status": "not_identified",
        "reason": "Fewer than two places were counted in both windows, or all counts are equal.",
    }
    still: dict[str, object] = {"estimand": "share_still_among_hottest", "unit": "share"}
    correlation: dict[str, object] = {"estimand": "rank_correlation", "unit": "correlation"}
    if len(both) < 2 or hot.is_empty() or both["after"].n_unique() == 1:
        return [still | nothing, correlation | nothing]
    share = float((hot["rank_after"] <= len(hot)).mean())  # type: ignore[arg-type]
    rho = (
        float(np.corrcoef(both["rank_before"], both["rank_after"])[0, 1])
        if (both["before"].n_unique() > 1 and both["after"].n_unique() > 1)
        else None
    )
    return [
        still | {"estimate": share},
        correlation | ({"estimate": rho} if rho is not None else nothing),
    ]
