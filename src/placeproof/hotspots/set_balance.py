"""How alike hot spots and the places of many sets are, in history and in features of the ground."""

import math
from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from placeproof.hotspots.balance import HISTORY_FEATURES, difference, history_features
from placeproof.hotspots.forge import Ground, MatchedSet, Pool
from placeproof.tables import estimate

OVER_SETS = "average over the sets"


def balance_of_sets(
    ground: Ground,
    sets: Sequence[MatchedSet],
    pool: Pool,
    *,
    headline: np.ndarray,
    definition_edition: str | None,
    window: tuple[date, date],
    feeds: str,
) -> pl.DataFrame:
    """
    Compare hot spots with the places of all sets, and in features also with those of the headline.

    Parameters
    ----------
    ground : Ground
        With the hot spots and the features of the ground.
    sets : sequence of MatchedSet
        What `forged` gave.
    pool : Pool
        All candidates of one grid: what hot spots are compared with before matching.
    headline : array of shapely geometries
        The comparison places of the headline; they are matched on history alone.
    definition_edition : str or None
        Definition whose counts were matched on.
    window : (date, date)
        First and last day of the history.
    feeds : str
        Canonical tables behind the counts.

    Returns
    -------
    table `estimate`
        Question `places`, estimand `standardised_difference` as `balance` makes it: horizon
        "average over the sets" for the history and each feature; "before matching" and "after
        matching" for each feature; and one row with the reason for each feature that was wanted
        and cannot be used.
    """
    base: dict[str, object] = {
        "question": "places",
        "definition_edition": definition_edition,
        "population": "comparison places",
        "window_start": window[0],
        "window_end": window[1],
        "feeds": feeds,
        "estimand": "standardised_difference",
        "method": "matching_on_history_and_features",
        "unit": "standard deviations",
    }
    rows: list[dict[str, object]] = []
    own = history_features(ground.own)
    theirs = [history_features(one.counts) for one in sets]
    for name, label in HISTORY_FEATURES.items():
        said = {"outcome": name, "outcome_label": label, "horizon": OVER_SETS}
        rows.append(base | said | _average(own[name], [other[name] for other in theirs]))
    mine = ground.features.at(ground.outlines)
    beside = ground.features.at(headline)
    for i, name in enumerate(ground.features.names):
        named = base | {"outcome": f"feature:{name}", "outcome_label": name}
        for horizon, group in (("before matching", pool.features), ("after matching", beside)):
            size = {"n": len(mine) + len(group), "n_places": len(group)}
            made = _told(difference(mine[:, i], group[:, i]), mine[:, i])
            rows.append(named | {"horizon": horizon} | size | made)
        over = _average(mine[:, i], [one.features[:, i] for one in sets])
        rows.append(named | {"horizon": OVER_SETS} | over)
    for name, reason in ground.features.absent.items():
        rows.append(
            base
            | {
                "outcome": f"feature:{name}",
                "outcome_label": name,
                "status": "not_supplied",
                "reason": f"The feature {name} is not matched on: {reason}",
            }
        )
    return estimate.rows(rows)


def _average(mine: np.ndarray, theirs: Sequence[np.ndarray]) -> dict[str, object]:
    each = [difference(mine, other).get("estimate") for other in theirs]
    found = [value for value in each if isinstance(value, float) and math.isfinite(value)]
    if not found:
        reason = "Fewer than two places on one side have such a figure."
        return {"status": "not_identified", "reason": reason}
    return {"estimate": float(np.mean(found)), "n": len(found)}


def _told(row: dict[str, object], mine: np.ndarray) -> dict[str, object]:
    """Say it where hot spots lack the feature: they are matched without it."""
    lacking = int((~np.isfinite(mine)).sum())
    if not lacking:
        return row
    said = f"{lacking} of {len(mine)} hot spots lie where this feature is not known."
    return row | {"reason": " ".join(filter(None, [str(row.get("reason") or ""), said]))}
