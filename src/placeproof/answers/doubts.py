"""What speaks against an estimate: each check that it fails, in words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from placeproof.answers.reading import (
    Row,
    diagnostics,
    direction,
    is_effect,
    is_estimated,
    is_everyone,
    is_ring,
    listed,
    number,
    placeholder,
    too_wide,
)

TREND_ADJUSTED = "poisson_imputation_trend_adjusted"

PUBLISHED_CATEGORY = "puk-"
"""Start of the ids of definitions made from published categories, points and months."""


@dataclass(frozen=True)
class Event:
    """A registered event: its id, its name, whether places reopened, and which outcomes it touches.

    `outcomes` holds ids of definitions, or "*" for all.
    """

    shock_id: str
    name: str
    reopening: bool
    outcomes: frozenset[str]


@dataclass(frozen=True)
class Circumstances:
    """
    What the checks need to know beyond the findings.

    Attributes
    ----------
    exploratory : bool
        The plan is not locked, and every number is stamped so.
    retrospective : bool
        The plan was locked when outcomes were already public.
    plausible_effect : float
        Largest change, as a share, that anybody has reason to expect; an effect that only a
        larger change would show is out of reach.
    few_places_below : int
        First number of treated places that is not few.
    dose_known : bool
        Whether what was delivered was measured.
    near_start : tuple of Event
        What else happened within two months of the first patrols.
    deviated : bool
        A headline of this question was made otherwise than the locked plan says.
    """

    exploratory: bool
    retrospective: bool
    plausible_effect: float
    few_places_below: int
    dose_known: bool
    near_start: tuple[Event, ...]
    deviated: bool = False


@dataclass(frozen=True)
class Failed:
    """A check that failed. A threat to validity may lower to none, a limit to low at most."""

    reason: str
    threatens: bool


_QUANTILE = 1.96


def doubts_about(headline: Row, rows: Sequence[Row], about: Circumstances) -> list[Failed]:
    """
    List the checks that a headline effect fails.

    Parameters
    ----------
    headline : finding
        The effect.
    rows : sequence of findings
        Every finding of the study: negative controls and bounds may stand at other questions.
    about : Circumstances
        What the checks need to know.

    Returns
    -------
    list of Failed
        Reasons in words, figures as placeholders.
    """
    same = [row for row in rows if row["outcome"] == headline["outcome"]]
    return [
        *_negative_controls(rows),
        *_later_places_alone(rows),
        *_trends(headline, same),
        *_choice(headline, same),
        *_events(headline, same, about),
        *_locations(headline, same),
        *_power(headline, about),
        *_certificate(headline, same),
        *_limits(headline, about),
    ]


def _negative_controls(rows: Sequence[Row]) -> list[Failed]:
    run = [
        row
        for row in rows
        if row["role"] == "negative_control" and is_effect(row) and is_everyone(row)
        and not is_ring(row) and direction(row) != "unknown"
    ]  # fmt: skip
    if not run:
        reason = "No negative control could be run: nothing says whether the comparison holds."
        return [Failed(reason, threatens=False)]
    moved = [row for row in run if direction(row) in ("fell", "rose")]
    if not moved:
        return []
    words = listed(
        [f"{row['outcome_label']} ({placeholder(row, 'full')})" for row in _once(moved, "outcome")]
    )
    reason = (
        f"A negative control moved that patrols should not move: {words}. Something else than "
        "patrols told the places apart."
    )
    return [Failed(reason, threatens=True)]


def unmatched(rows: Sequence[Row]) -> Row | None:
    """The finding that no place outside the hot spots could be matched, with its reason."""
    found = [row for row in rows if row["estimand"] == "matched_places"]
    return found[0] if found and not any(is_estimated(row) for row in found) else None


def _later_places_alone(rows: Sequence[Row]) -> list[Failed]:
    if unmatched(rows) is None:
        return []
    reason = (
        "Places that patrols reached later are the only comparison: nothing says what happened "
        "where patrols never went."
    )
    return [Failed(reason, threatens=False)]


def _once(rows: Sequence[Row], column: str) -> list[Row]:
    return list({str(row[column]): row for row in reversed(rows)}.values())[::-1]


def _trends(headline: Row, same: Sequence[Row]) -> list[Failed]:
    failed: list[Failed] = []
    same = [row for row in same if row["population"] == headline["population"]]
    slopes = [row for row in same if row["estimand"] == "pre_trend_slope" and is_everyone(row)]
    tested = [row for row in slopes if _slope_differs(row) is not None]
    if any(_slope_differs(row) for row in tested):
        reason = "The places were already drifting apart before patrols began."
        failed.append(Failed(reason, threatens=True))
    elif not tested or not all(_has_power(row) for row in tested):
        reason = (
            "The test of the trend before patrols has little power, or could not be run: that it "
            "found nothing reassures little."
        )
        failed.append(Failed(reason, threatens=False))
    adjusted = [
        row
        for row in same
        if row["method"] == TREND_ADJUSTED and is_everyone(row) and is_estimated(row)
    ]  # fmt: skip
    if adjusted and too_wide(adjusted[0]):
        reason = "The trend before patrols is too short to adjust for."
        failed.append(Failed(reason, threatens=disagree(headline, adjusted[0])))
    elif adjusted and disagree(headline, adjusted[0]):
        reason = (
            f"Adjusted for the trend before patrols the estimate is another: "
            f"{placeholder(adjusted[0], 'full')}."
        )
        failed.append(Failed(reason, threatens=True))
    elif adjusted and _fades(headline, adjusted[0]):
        reason = (
            "Adjusted for the trend before patrols it can no longer be told from no difference: "
            f"{placeholder(adjusted[0], 'full')}."
        )
        failed.append(Failed(reason, threatens=False))
    return failed


def disagree(headline: Row, adjusted: Row) -> bool:
    """
    Say whether headline and trend-adjusted ratio differ by more than chance.

    The adjusted estimate spends data on the trend, so the variance of their difference is about
    the difference of their variances; they also disagree when they point to opposite sides.

    Parameters
    ----------
    headline, adjusted : finding
        Rate ratios of the same outcome and places.

    Returns
    -------
    bool
        False where either has no interval.
    """
    if {direction(headline), direction(adjusted)} == {"fell", "rose"}:
        return True
    first, second = _log_and_error(headline), _log_and_error(adjusted)
    if first is None or second is None:
        return False
    variance = second[1] ** 2 - first[1] ** 2
    gap = abs(second[0] - first[0])
    return gap > _QUANTILE * math.sqrt(variance) if variance > 0 else gap > _QUANTILE * first[1]


def _log_and_error(row: Row) -> tuple[float, float] | None:
    """Estimate and standard error on the log scale, from the interval that the row prints."""
    figures = [number(row, name) for name in ("estimate", "lower", "upper")]
    if any(figure is None or figure <= 0 for figure in figures):
        return None
    value, lower, upper = (math.log(figure) for figure in figures if figure is not None)
    return value, (upper - lower) / (2 * _QUANTILE)


def _fades(headline: Row, adjusted: Row) -> bool:
    return direction(headline) in ("fell", "rose") and direction(adjusted) == "none"


def _slope_differs(row: Row) -> bool | None:
    if not is_estimated(row):
        return None
    p_value = number(row, "p_value")
    if p_value is not None:
        return p_value < 0.05
    found = direction(row)
    return None if found == "unknown" else found != "none"


def _has_power(row: Row) -> bool:
    told = diagnostics(row)
    power = told.get("power_against_that_slope", told.get("power"))
    return isinstance(power, int | float) and power >= 0.8


def _choice(headline: Row, same: Sequence[Row]) -> list[Failed]:
    """Whether the conclusion holds under most other sets of comparison places."""
    if direction(headline) not in ("fell", "rose"):
        return []
    ends = {
        str(row["horizon"]): row
        for row in same
        if row["estimand"] == "quantile_rate_ratio" and is_estimated(row)
        and row["population"] == headline["population"]
    }  # fmt: skip
    least, most = ends.get("quantile=5"), ends.get("quantile=95")
    low, high = (number(row, "estimate") if row else None for row in (least, most))
    if low is None or high is None or least is None or most is None:
        return []
    agree = high < 1 if direction(headline) == "fell" else low > 1
    if agree:
        return []
    reason = (
        "It hangs on the choice of comparison places: under other sets, matched by the same rule, "
        f"nine estimates in ten lie between {placeholder(least, 'estimate')} and "
        f"{placeholder(most, 'estimate')}."
    )
    return [Failed(reason, threatens=True)]


def _events(headline: Row, same: Sequence[Row], about: Circumstances) -> list[Failed]:
    """What else happened when patrols began, with the effect without the periods around it."""
    failed: list[Failed] = []
    for event in about.near_start:
        if not event.outcomes & {"*", str(headline["outcome"])}:
            continue
        what = "Places reopened" if event.reopening else "Something else changed"
        reason = (
            f"{what} within two months of the first patrols ({event.name}): the two can be told "
            "apart only as far as the comparison places felt it as the hot spots did."
        )
        again, change = (
            _without(event, headline, same, estimand)
            for estimand in ("rate_ratio", "change_in_rate_ratio")
        )
        other = again is not None and _says_another(headline, again, change)
        if again is not None:
            words = "would say something else" if other else "says the same"
            told = placeholder(again, "full")
            reason += f" Without the periods around it the estimate {words}: {told}."
        failed.append(Failed(reason, threatens=other))
    return failed


def _says_another(headline: Row, again: Row, change: Row | None) -> bool:
    """Another conclusion by more than chance; a mere shift may be an effect that fades."""
    if {direction(headline), direction(again)} == {"fell", "rose"}:
        return True
    moved = change is not None and direction(change) in ("fell", "rose")
    return moved and direction(headline) != direction(again)


def _without(event: Event, headline: Row, same: Sequence[Row], estimand: str) -> Row | None:
    for row in same:
        if (
            row["horizon"] == f"without={event.shock_id}"
            and row["estimand"] == estimand
            and row["population"] == headline["population"]
            and is_estimated(row)
        ):
            return row
    return None


def _locations(headline: Row, same: Sequence[Row]) -> list[Failed]:
    value = number(headline, "estimate")
    if value is None or direction(headline) not in ("fell", "rose"):
        return []
    ends = [
        end
        for row in same
        if row["horizon"] in ("unlocated=fewer", "unlocated=more") and is_estimated(row)
        and row["estimand"] == headline["estimand"] and row["population"] == headline["population"]
        if (end := number(row, "estimate")) is not None
    ]  # fmt: skip
    crosses = any((end - 1) * (value - 1) <= 0 for end in ends)
    reason = (
        "Records without a location could move the estimate to no difference or beyond, if events "
        "in patrolled places lacked one somewhat more often, or less often, than elsewhere."
    )
    return [Failed(reason, threatens=True)] if crosses else []


def _power(headline: Row, about: Circumstances) -> list[Failed]:
    smallest = number(headline, "minimum_detectable_effect")
    if smallest is None:
        reason = "No smallest detectable change could be computed."
        return [Failed(reason, threatens=False)]
    if abs(smallest - 1) <= about.plausible_effect:
        return []
    reason = (
        f"Only a change of {placeholder(headline, 'minimum_detectable_effect')} or more would be "
        "found, and that is more than there is reason to expect."
    )
    return [Failed(reason, threatens=False)]


def _certificate(headline: Row, same: Sequence[Row]) -> list[Failed]:
    """Whether the estimator holds in studies like this one, where a run looked for that."""
    for row in same:
        if row["estimand"] == "recovery_certificate" and row["method"] == headline["method"]:
            verdict = diagnostics(row).get("verdict")
            if verdict == "certified":
                return []
            return [Failed(str(row["reason"]), threatens=verdict == "barred")]
    return []


def _limits(headline: Row, about: Circumstances) -> list[Failed]:
    failed: list[Failed] = []
    if str(headline["outcome"]).startswith(PUBLISHED_CATEGORY):
        reason = (
            "The outcome is a published category, by month and at snapped points; where it mixes "
            "offences it is not the registered definition."
        )
        failed.append(Failed(reason, threatens=False))
    places = number(headline, "n_places")
    if places is not None and places < about.few_places_below:
        reason = f"It rests on few places: {placeholder(headline, 'n_places')}."
        failed.append(Failed(reason, threatens=False))
    if not about.dose_known:
        reason = (
            "What was delivered was not measured: a weak dose cannot be told from a weak effect."
        )
        failed.append(Failed(reason, threatens=False))
    return failed + frame_limits(about)


def frame_limits(about: Circumstances) -> list[Failed]:
    """Limits that come with the study and not with an estimate."""
    failed: list[Failed] = []
    if about.exploratory:
        reason = "The study is exploratory: definitions and methods were not locked beforehand."
        failed.append(Failed(reason, threatens=False))
    if about.deviated:
        reason = "Its headline was made otherwise than the locked plan says."
        failed.append(Failed(reason, threatens=False))
    if about.retrospective:
        reason = "Retrospective: outcomes were partly known when the plan was locked."
        failed.append(Failed(reason, threatens=False))
    return failed
