"""What can be identified here, by tasked days, by dose, and for how long."""

from placeproof.effects import PlannedOutcome
from placeproof.effects.dose import identified_cohorts
from placeproof.study.estimating import for_estimation, planned_outcomes
from placeproof.study.work import Work


def say_what_is_identified(work: Work) -> None:
    """
    Say of each cohort whether a comparison of before and after can speak of it.

    Parameters
    ----------
    work : Work
        The run; estimates are added. While the plan is not locked, nothing is counted.
    """
    planned = headlines(work)
    if work.panel is None or not work.lock.outcomes_visible or not planned:
        return
    work.add(identified_cohorts(for_estimation(work, work.panel), outcomes=planned))


def headlines(work: Work) -> dict[str, PlannedOutcome]:
    """
    Say of every headline outcome that could be counted what the plan says of it.

    Parameters
    ----------
    work : Work
        The run.

    Returns
    -------
    dict of str to PlannedOutcome
        By the outcome's id.
    """
    named = set(work.headline_outcomes())
    return {name: said for name, said in planned_outcomes(work).items() if name in named}
