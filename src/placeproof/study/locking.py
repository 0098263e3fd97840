"""Locking a plan: the one place of the study that asks what day it is."""

from datetime import UTC, datetime
from pathlib import Path

from placeproof.study.plan import read_plan, write_lock
from placeproof.study.settings import find_folder


def lock(folder: Path) -> str:
    """
    Lock the plan of a study on today's date.

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
        If the plan is exploratory, or another plan was locked before.
    """
    folder = find_folder(folder)
    plan = read_plan(folder)
    path = write_lock(folder, plan, on=datetime.now(tz=UTC).date())
    return f"The plan is locked: {path} holds its hash {plan.sha256()[:12]}. Keep a copy elsewhere."
