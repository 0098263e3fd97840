"""Locking a plan: the one place of the study that asks what day it is."""

from datetime import UTC, datetime
from pathlib import Path

from placeproof.study.lock import lock_state, write_lock
from placeproof.study.mappings import meanings
from placeproof.study.plan import read_plan
from placeproof.study.settings import find_folder


def lock(folder: Path) -> str:
    """
    Lock the plan of a study, and what its rows mean, on today's date.

    Parameters
    ----------
    folder : Path
        The study's folder.

    Returns
    -------
    str
        What was done, for a person to read.

    Raises
    ------
    LockError
        If the plan is exploratory, or another plan or other mappings were locked before.
    """
    folder = find_folder(folder)
    plan = read_plan(folder)
    mappings = meanings(folder)
    path = write_lock(folder, plan, mappings=mappings, on=datetime.now(tz=UTC).date())
    state = lock_state(folder, plan, outcomes_public=False, mappings=mappings)
    said = f"The plan is locked: {path} holds its hash {plan.sha256()[:12]}"
    if state.remark:
        return f"{said}. {state.remark} Keep a copy elsewhere."
    if state.stamp:
        return f"{said}. {state.stamp}. Keep a copy elsewhere."
    return f"{said} and what study.toml says that rows mean. Keep a copy elsewhere."
