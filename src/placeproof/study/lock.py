"""Whether the plan, and what `study.toml` says that rows mean, were fixed beforehand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from placeproof.errors import LockError
from placeproof.study.deviations import Deviation, deviations
from placeproof.study.mappings import tables_of
from placeproof.study.plan import Plan

LOCK_FILE = "plan.lock"

AS_LOCKED = "as locked"
NOT_RECORDED = "not recorded"


@dataclass(frozen=True)
class Lock:
    """Whether the plan was fixed before outcomes were seen."""

    state: str
    """`exploratory`, `locked`, `open` (no lock yet), `deviated` (some choices differ from what was
    locked, and the numbers that they touch are known) or `changed` (every number is touched)."""
    sha256: str
    locked_on: str
    stamp: str
    """What every page of the report carries; empty where nothing needs saying."""
    mappings: str = ""
    """What became of the mappings in `study.toml` since the lock: "as locked", "not recorded" (by
    an older lock), or which sections changed, are gone or were added; empty while there is no
    lock."""
    deviations: tuple[Deviation, ...] = ()
    """Choices of the plan that differ from what was locked."""

    @property
    def outcomes_visible(self) -> bool:
        """Whether outcomes after the first start may be used."""
        return self.state in {"exploratory", "locked", "deviated", "changed"}

    @property
    def remark(self) -> str:
        """What a lock that holds still does not cover; empty where it covers everything."""
        if self.mappings != NOT_RECORDED:
            return ""
        return (
            f"{LOCK_FILE} is older than the mappings' part of a lock: whether study.toml was "
            f"changed after it was locked on {self.locked_on} is not recorded."
        )


def lock_state(
    folder: Path, plan: Plan, *, outcomes_public: bool, mappings: Mapping[str, str]
) -> Lock:
    """
    Say whether the plan is locked, and what that means for the numbers.

    Parameters
    ----------
    folder : Path
        The study's folder.
    plan : Plan
        The plan as it stands now.
    outcomes_public : bool
        Whether outcomes were public before the lock.
    mappings : mapping of str to str
        Section of `study.toml` to the hash of what it means, as it stands now.

    Returns
    -------
    Lock
        `open` masks every outcome after the first start of patrols; `deviated` stamps the numbers
        that the deviations touch, `changed` every number.

    Raises
    ------
    LockError
        If the lock is a folder or cannot be read.
    """
    sha256 = plan.sha256()
    if plan.exploratory:
        return Lock(
            "exploratory",
            sha256,
            "",
            "Exploratory: the plan was not locked before outcomes were seen",
        )
    path = folder / LOCK_FILE
    if not path.exists() and not path.is_symlink():
        return Lock(
            "open", sha256, "", "Plan not locked: outcomes after the start of patrols are masked"
        )
    locked_sha256, locked_on, locked, locked_plan = _read(path)
    moved, added = ("", "") if locked is None else _compared(locked, mappings)
    said = filter(None, (moved, f"added: {added}" if added else ""))
    told = NOT_RECORDED if locked is None else "; ".join(said) or AS_LOCKED
    found: tuple[Deviation, ...] = ()
    if locked_sha256 != sha256 and locked_plan is not None:
        found = deviations(locked_plan, plan.content())
    if found and not moved and not any(each.everything for each in found):
        stamp = (
            f"Deviates from the plan that was locked on {locked_on}: numbers marked † are "
            "exploratory"
        )
        return Lock("deviated", sha256, locked_on, stamp, told, found)
    what = ["plan.toml"] if locked_sha256 != sha256 else []
    what += [f"study.toml ({moved})"] if moved else []
    if what:
        stamp = (
            f"Exploratory: {' and '.join(what)} {'were' if len(what) > 1 else 'was'} changed "
            f"after the plan was locked on {locked_on}"
        )
        return Lock("changed", sha256, locked_on, stamp, told, found)
    stamps = [
        "Retrospective: outcomes were partly known when the plan was locked"
        if outcomes_public
        else "",
        f"Mapped after the plan was locked on {locked_on}: {added}" if added else "",
    ]
    return Lock("locked", sha256, locked_on, "; ".join(filter(None, stamps)), told)


def _read(path: Path) -> tuple[str, str, dict[str, str] | None, dict[str, Any] | None]:
    if path.is_dir():
        raise LockError(
            f"{LOCK_FILE} is a folder, where the file that holds the lock should stand.",
            mend="move the folder away, and restore the file from your copy if there was one",
        )
    try:
        locked = json.loads(path.read_text(encoding="utf-8"))
        mappings = locked.get("mappings")
        if mappings is not None:
            mappings = {str(name): str(sha256) for name, sha256 in mappings.items()}
        chosen = locked.get("plan")
        if chosen is not None and not isinstance(chosen, dict):
            raise TypeError
        return str(locked["plan_sha256"]), str(locked["locked_on"]), mappings, chosen
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise LockError(
            f"{LOCK_FILE} cannot be read.", mend="restore it from your copy; do not edit it"
        ) from None


def _compared(locked: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, str]:
    """
    Say which sections moved, and which were added without touching what was locked.

    A feed that only got another name means the same. A feed of a table that no feed filled when
    the plan was locked (a survey that came later) moves nothing that was locked; a second feed of
    crimes does.
    """
    new = {name: meaning for name, meaning in now.items() if locked.get(name) != meaning}
    old = {name: meaning for name, meaning in locked.items() if now.get(name) != meaning}
    for name, meaning in sorted(new.items()):
        twin = next((was for was, each in sorted(old.items()) if each == meaning), None)
        if twin is not None and name not in old:
            del new[name], old[twin]
    filled = frozenset[str]().union(*map(tables_of, locked.values()))
    apart = sorted(
        name for name, meaning in new.items() if name not in old and not tables_of(meaning) & filled
    )
    moved = [
        f"{name} {'changed' if name in old else 'added'}"
        for name in sorted(new)
        if name not in apart
    ]
    moved += [f"{name} gone" for name in sorted(set(old) - set(new))]
    return ", ".join(moved), ", ".join(apart)


def write_lock(folder: Path, plan: Plan, *, mappings: Mapping[str, str], on: date) -> Path:
    """
    Lock the plan: write its hash, and those of what rows mean, beside it.

    Parameters
    ----------
    folder : Path
        The study's folder.
    plan : Plan
        The plan to lock.
    mappings : mapping of str to str
        Section of `study.toml` to the hash of what it means.
    on : date
        The day of locking.

    Returns
    -------
    Path
        The lock file. One that holds already is left as it is.

    Raises
    ------
    LockError
        If the plan says exploratory, something else is locked already, or the lock is a folder.
    """
    if plan.exploratory:
        raise LockError(
            "plan.toml says exploratory = true: such a plan is never locked.",
            mend="set exploratory = false before any outcome after the start has been looked at",
        )
    path = folder / LOCK_FILE
    state = lock_state(folder, plan, outcomes_public=False, mappings=mappings)
    if state.state == "locked":
        return path
    if state.state == "deviated" or (state.state == "changed" and "plan.toml" in state.stamp):
        raise LockError(
            f"Another plan was locked on {state.locked_on}; this one differs from it.",
            mend=f"restore that plan, or keep {LOCK_FILE}: the report will say it was changed",
        )
    if state.state == "changed":
        raise LockError(
            f"Other mappings were locked on {state.locked_on}: study.toml, {state.mappings}.",
            mend=f"restore them, or keep {LOCK_FILE}: the report will say they were changed",
        )
    content = {
        "plan_sha256": plan.sha256(),
        "locked_on": on.isoformat(),
        "mappings": dict(sorted(mappings.items())),
        "plan": plan.content(),
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path
