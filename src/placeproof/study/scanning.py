"""Before any effect: steps in how things are recorded, and what effects are without them."""

from dataclasses import replace
from datetime import date

from placeproof.files.feed import NOTICE_SCHEMA, notice, notices
from placeproof.panel.scan import Flag, recording_series, scan, scan_rows
from placeproof.study.placing import masked_from
from placeproof.study.varying import around, leave_out_around
from placeproof.study.work import Work


def scan_recording(work: Work) -> None:
    """
    Look for steps in coding, delay and missing locations before anything is estimated.

    Parameters
    ----------
    work : Work
        The run; estimates, a notice for each month with a step, and `work.steps` are added. While
        the plan is not locked, only months before patrols are read.
    """
    series = recording_series(
        crime=work.inputs.get("crime"),
        incident=work.inputs.get("incident"),
        before=masked_from(work),
        spans=_otherwise(work),
    )
    if not series:
        return
    choices = work.plan.registers
    flags = scan(
        series,
        registered=_changes(work),
        false_flags=choices.scan_false_flags,
        shortest=choices.scan_months,
        simulations=choices.scan_simulations,
        rng=work.rng("scan", "recording"),
    )
    work.add(scan_rows(series, flags, shortest=choices.scan_months))
    work.steps = _by_month(flags)
    made = [_notice(work, month, labels) for month, labels in work.steps.items()]
    if made:
        result = work.inputs.result
        joined = notices([*result.notices.select(list(NOTICE_SCHEMA)).iter_rows(named=True), *made])
        work.inputs = replace(work.inputs, result=replace(result, notices=joined))


def _changes(work: Work) -> dict[str, date]:
    """Registered changes of recording, each by the first month that lies wholly in it."""
    found = {}
    for row in work.shocks().iter_rows(named=True):
        start = row["starts_on"]
        if row["kind"] in ("recording", "system", "legal"):
            year, month = start.year + start.month // 12, start.month % 12 + 1
            found[row["shock_id"]] = start if start.day == 1 else date(year, month, 1)
    return found


def _otherwise(work: Work) -> list[tuple[date, date]]:
    """Registered times with a last day in which life, not recording, was otherwise."""
    return [
        (row["starts_on"], row["ends_on"])
        for row in work.shocks().sort("starts_on").iter_rows(named=True)
        if row["ends_on"] is not None and row["kind"] in ("covid", "reopening", "other")
    ]


def _by_month(flags: list[Flag]) -> dict[date, list[str]]:
    """Months with a step, those next to each other as the first of them."""
    found: dict[date, list[str]] = {}
    last = None
    for flag in flags:
        month = flag.month
        first = last if last is not None and _months(last, month) <= 1 else month
        found.setdefault(first, [])
        if flag.series.label not in found[first]:
            found[first].append(flag.series.label)
        last = first
    return found


def _months(earlier: date, later: date) -> int:
    return 12 * (later.year - earlier.year) + later.month - earlier.month


def _registered(work: Work, month: date) -> str | None:
    """The registered event that began within a month of a step."""
    for row in work.shocks().sort("starts_on").iter_rows(named=True):
        first, last = around(row["starts_on"], None)
        if first <= month <= last:
            return str(row["name"])
        if row["ends_on"] is not None:
            first, last = around(row["ends_on"], None)
            if first <= month <= last:
                return str(row["name"])
    return None


def _notice(work: Work, month: date, labels: list[str]) -> dict[str, object]:
    known = _registered(work, month)
    shown = "; ".join(labels[:4]) + (f" and {len(labels) - 4} more" if len(labels) > 4 else "")
    words = f"A step in recording in or about {month:%B %Y}: {shown}."
    if known:
        return notice(
            "recording", "step_in_recording", "note",
            f"{words} At that time the register has: {known}.", mend="",
        )  # fmt: skip
    return notice(
        "recording", "step_in_recording", "warning",
        f"{words} No registered event explains it, so effects are estimated without it as well.",
        mend="ask the force what changed, and add it to the table shock",
    )  # fmt: skip


def leave_steps_out(work: Work) -> None:
    """
    Estimate the headline effects again without the periods around each step in recording.

    Parameters
    ----------
    work : Work
        The run; estimates are added, with the horizon "without=step-YYYY-MM". A step at the time
        of a registered event is left out with it already.
    """
    alone = [month for month in work.steps if _registered(work, month) is None]
    if alone:
        leave_out_around(
            work, {f"step-{month:%Y-%m}": around(month, None) for month in alone}, feeds=""
        )
