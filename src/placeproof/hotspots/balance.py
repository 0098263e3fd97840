"""How alike the histories of hot spots and comparison places are, before and after matching."""

import json
import math
from datetime import date

import numpy as np
import polars as pl

from placeproof.hotspots.comparison import histories
from placeproof.tables import estimate

HISTORY_FEATURES = {
    "history_level": "Events per period in the history",
    "history_trend": "Change per period in the history, as a share of the level",
    "history_last_third": "Events per period in the last third of the history",
}


def balance(
    treated: pl.DataFrame,
    candidates: pl.DataFrame,
    matches: pl.DataFrame,
    *,
    wanted: int,
    definition_edition: str | None,
    window: tuple[date, date],
    feeds: str,
) -> pl.DataFrame:
    """
    Compare the histories of hot spots with those of all candidates and of the matched ones.

    Parameters
    ----------
    treated, candidates : DataFrame
        As given to `match`: `place_id`, `period_start`, `count`. Not modified.
    matches : DataFrame
        What `match` gave.
    wanted : int
        How many comparison places were wanted in all.
    definition_edition : str or None
        Definition whose counts were matched on.
    window : (date, date)
        First and last day of the history.
    feeds : str
        Canonical tables behind the counts.

    Returns
    -------
    table `estimate`
        Question `places`: `standardised_difference` (difference of the means over the root mean
        of both variances, hot spots minus others) of level, trend and last third of the history,
        horizon "before matching" and "after matching"; and `matched_places`, with the reason where
        fewer were found than wanted. A difference beyond 0.25 either way is named in the reason.
    """
    base: dict[str, object] = {
        "question": "places",
        "definition_edition": definition_edition,
        "population": "comparison places",
        "window_start": window[0],
        "window_end": window[1],
        "feeds": feeds,
    }
    rows = [_count_row(base, matches, wanted)]
    if treated.is_empty() or candidates.is_empty():
        return estimate.rows(rows)
    _, pool, own, other = histories(treated, candidates)
    chosen = np.isin(np.array(pool), matches["place_id"].to_numpy())
    mine = history_features(own)
    for horizon, group in (("before matching", other), ("after matching", other[chosen])):
        theirs = history_features(group)
        for feature, label in HISTORY_FEATURES.items():
            rows.append(
                base
                | {
                    "outcome": feature,
                    "outcome_label": label,
                    "horizon": horizon,
                    "estimand": "standardised_difference",
                    "method": "matching_on_history",
                    "unit": "standard deviations",
                    "n": len(own) + len(group),
                    "n_places": len(group),
                    "n_events": float(own.sum() + group.sum()),
                }
                | difference(mine[feature], theirs[feature])
            )
    return estimate.rows(rows)


def _count_row(base: dict[str, object], matches: pl.DataFrame, wanted: int) -> dict[str, object]:
    found = len(matches)
    return base | {
        "outcome": "comparison_places",
        "outcome_label": "Comparison places found",
        "estimand": "matched_places",
        "method": "matching_on_history",
        "unit": "places",
        "estimate": float(found),
        "n_places": found,
        "reason": f"{wanted} comparison places were wanted, {found} were found."
        if found < wanted
        else None,
        "diagnostics": json.dumps(
            {"wanted": wanted, "widest_distance": _rounded(matches["distance"].max())},
            sort_keys=True,
        ),
    }


def _rounded(value: object) -> float | None:
    return round(value, 6) if isinstance(value, float) else None


def history_features(counts: np.ndarray) -> dict[str, np.ndarray]:
    """
    Describe the history of each place by its level, trend and last third.

    Parameters
    ----------
    counts : array, shape (places, periods)
        Events.

    Returns
    -------
    dict of str to array, shape (places,)
        By the names of `HISTORY_FEATURES`; not a number where a place had no event to trend.
    """
    periods = counts.shape[1]
    level = counts.mean(axis=1) if len(counts) else np.zeros(0)
    time = np.arange(periods) - (periods - 1) / 2
    slope = counts @ time / max(float((time**2).sum()), 1.0)
    return {
        "history_level": level,
        "history_trend": slope / np.where(level > 0, level, np.nan),
        "history_last_third": counts[:, -max(1, periods // 3) :].mean(axis=1),
    }


def difference(mine: np.ndarray, theirs: np.ndarray) -> dict[str, object]:
    """
    Compare one feature of hot spots with that of other places.

    Parameters
    ----------
    mine, theirs : arrays
        One number for each place; those that are not a number are left out.

    Returns
    -------
    dict
        Columns of table `estimate`: the standardised difference, or why there is none.
    """
    mine, theirs = mine[np.isfinite(mine)], theirs[np.isfinite(theirs)]
    if len(mine) < 2 or len(theirs) < 2:
        return {
            "status": "not_identified",
            "reason": "Fewer than two places on one side have such a figure.",
        }
    spread = math.sqrt((float(mine.var(ddof=1)) + float(theirs.var(ddof=1))) / 2)
    gap = float(mine.mean() - theirs.mean())
    if spread == 0 and gap != 0:
        return {"status": "not_identified", "reason": "Places on each side do not vary."}
    value = gap / spread if spread > 0 else 0.0
    reason = "Hot spots and these places differ by more than 0.25 standard deviations."
    return {"estimate": value, "reason": reason if abs(value) > 0.25 else None}
