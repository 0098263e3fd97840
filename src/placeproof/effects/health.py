"""Hospital attendances and admissions for violence: described, with no impact claimed (RQ10)."""

import json
from datetime import date

import polars as pl

from placeproof.calendar import in_nte, periods
from placeproof.errors import InputError
from placeproof.tables import estimate

Row = dict[str, object]

WHO_CAUSES = ("X85-Y09", "X99")
"""Cause groups of the WHO edition of ICD-10: assault, and assault by sharp object."""

NO_IMPACT = (
    "No impact of patrols is estimated from hospital data in this edition: attendances carry the "
    "place of the assault only in words, and admissions are recorded by residence or hospital."
)
"""Why RQ10 is described and not estimated."""

_GAP = (
    "No row for this site and month: a month that was not supplied cannot be told from a month "
    "without assaults, so it is not counted as zero."
)


def estimates(
    ed_assault: pl.DataFrame | None,
    admission: pl.DataFrame | None,
    *,
    nte: pl.DataFrame | None,
    nte_id: str,
) -> pl.DataFrame:
    """
    Describe attendances after assault and admissions for violence; claim no impact.

    Parameters
    ----------
    ed_assault : table `ed_assault`, or None
    admission : table `admission`, or None
    nte : DataFrame or None
        Intervals as `calendar.nte_intervals` makes them, covering all assaults; None: no share of
        night-time assaults.
    nte_id : str
        Which preset they are.

    Returns
    -------
    table `estimate`
        Attendances by site and month with gaps as gaps, the share without a location overall and
        by month, the share assaulted in night-time hours; admissions by area, month and cause; and
        one row that says why no impact stands here. Small counts are suppressed on release.

    Raises
    ------
    InputError
        If an admission has a cause that is no WHO ICD-10 group (US ICD-10-CM, for example).
    """
    rows: list[Row] = [_no_impact()]
    if ed_assault is None or ed_assault.is_empty():
        rows.append(_missing("ed_assaults", "Attendances after assault", "ed_assault"))
    else:
        rows += _attendances(ed_assault)
        rows += _without_location(ed_assault)
        rows += _at_night(ed_assault, nte, nte_id)
    if admission is None or admission.is_empty():
        rows.append(_missing("admissions", "Admissions for violence", "admission"))
    else:
        rows += _admissions(refuse_other_causes(admission))
    return estimate.rows(rows)


def refuse_other_causes(admission: pl.DataFrame) -> pl.DataFrame:
    """
    Let only cause groups of the WHO edition of ICD-10 through.

    Parameters
    ----------
    admission : table `admission`

    Returns
    -------
    table `admission`, as it was

    Raises
    ------
    InputError
        With the first row that has another cause.
    """
    other = admission.filter(~pl.col("cause").is_in(list(WHO_CAUSES)))
    if other.is_empty():
        return admission
    row = other.row(0, named=True)
    raise InputError(
        f'Table admission, row {row["source_row"]}, column "cause": {row["cause"]!r} is no cause '
        f"group of WHO ICD-10. {other.height} rows fail this way. Expected: "
        f"{' or '.join(WHO_CAUSES)}.",
        mend="count admissions by the WHO codes X85 to Y09; codes of the US edition (ICD-10-CM) "
        "mean other things under the same letters and cannot be converted here.",
    )


def _attendances(ed_assault: pl.DataFrame) -> list[Row]:
    base = _row("ed_assaults", "Attendances after assault", "ed_assault")
    months = _months(ed_assault)
    sites = ed_assault["site"].unique().sort()
    grid = pl.DataFrame({"site": sites}).join(pl.DataFrame({"month": months}), how="cross")
    counted = grid.join(
        ed_assault.group_by("site", "month").len(), on=["site", "month"], how="left"
    )
    rows = []
    for site, month, count in counted.sort("site", "month").iter_rows():
        key = {"subgroup": f"site={site}", "horizon": month.strftime("%Y-%m")}
        found = {"status": "not_supplied", "reason": _GAP} if count is None else _counted(count)
        rows.append(base | key | _window(month, month) | found)
    gaps = counted["len"].null_count()
    said = {
        "reason": f"{gaps} of {counted.height} site-months have no row: totals may be too low."
        if gaps
        else None,
        "diagnostics": json.dumps(
            _span(months) | {"site_months": counted.height, "without_rows": gaps}, sort_keys=True
        ),
    }
    for (site,), there in sorted(ed_assault.group_by("site"), key=lambda part: part[0]):
        rows.append(base | {"subgroup": f"site={site}"} | _counted(there.height) | said)
    return [*rows, base | _counted(ed_assault.height) | said]


def _without_location(ed_assault: pl.DataFrame) -> list[Row]:
    base = _row(
        "ed_assault_location_missing", "Attendances without a place of the assault", "ed_assault"
    ) | {
        "estimand": "missing_location_share",
        "unit": "share",
        "reason": "Missing places are not missing at random: those that are there stand only for "
        "themselves.",
    }
    blank = [
        pl.col(name).fill_null("").str.strip_chars() == ""
        for name in ("location_text", "location_type")
    ]
    judged = ed_assault.with_columns(blank=blank[0] & blank[1])
    rows = [
        base | {"horizon": month.strftime("%Y-%m")} | _window(month, month) | _share(part["blank"])
        for (month,), part in sorted(judged.group_by("month"), key=lambda part: part[0])
    ]
    said = {"diagnostics": json.dumps(_span(_months(ed_assault)), sort_keys=True)}
    return [*rows, base | said | _share(judged["blank"])]


def _at_night(ed_assault: pl.DataFrame, nte: pl.DataFrame | None, nte_id: str) -> list[Row]:
    known = ed_assault["assaulted_at"].drop_nulls()
    base = (
        _row("ed_assault_at_night", "Assaults in hours of the night-time economy", "ed_assault")
        | {"estimand": "share", "unit": "share", "hours": f"nte:{nte_id}"}
        | {"diagnostics": json.dumps(_span(_months(ed_assault)), sort_keys=True)}
    )
    timed = (
        base
        | {
            "outcome": "ed_assault_time_missing",
            "outcome_label": "Attendances without a time of the assault",
            "hours": "all",
        }
        | _share(ed_assault["assaulted_at"].is_null())
    )
    if nte is None or known.is_empty():
        why = "No hours were named." if nte is None else "No attendance has a time of the assault."
        return [timed, base | {"status": "not_supplied", "reason": why}]
    said = {"reason": "Of attendances with a time of the assault; arrival is not used instead."}
    return [timed, base | _share(in_nte(known, nte)) | said]


def _admissions(admission: pl.DataFrame) -> list[Row]:
    keys = ["area_kind", "area_code", "month", "cause"]
    counted = (
        admission.group_by(keys)
        .agg(
            count=pl.col("admissions").first(),
            hidden=(pl.col("suppressed") | pl.col("admissions").is_null()).any(),
            statements=pl.struct("admissions", "suppressed").n_unique(),
        )
        .sort(keys)
    )
    return [
        _row(
            f"admissions_{row['cause']}",
            f"Admissions for violence, WHO ICD-10 {row['cause']}",
            "admission",
        )
        | {
            "population": f"people by area of {row['area_kind']}",
            "subgroup": f"area={row['area_code']}",
            "horizon": row["month"].strftime("%Y-%m"),
            "diagnostics": json.dumps(
                {"disclosure": "1 to 7 suppressed, others rounded to the nearest 5 on release"}
            ),
        }
        | _window(row["month"], row["month"])
        | _admitted(row)
        for row in counted.iter_rows(named=True)
    ]


def _admitted(row: Row) -> Row:
    if row["statements"] != 1:
        why = "The files state different counts for this area, month and cause."
        return {"status": "not_identified", "reason": why}
    if row["hidden"]:
        return {"status": "suppressed", "reason": "Suppressed by the source (1 to 7 admissions)."}
    place = "Recorded by residence or hospital, never by place of the assault."
    return _counted(int(str(row["count"]))) | {"reason": place}


def _no_impact() -> Row:
    return _row("hospital_violence", "Hospital attendances and admissions for violence", "") | {
        "estimand": "rate_ratio",
        "method": "none",
        "role": "headline",
        "unit": "ratio",
        "status": "not_identified",
        "reason": NO_IMPACT,
        "feeds": "ed_assault admission",
    }


def _missing(outcome: str, label: str, feed: str) -> Row:
    return _row(outcome, label, feed) | {
        "status": "not_supplied",
        "reason": f"No rows of table {feed} were supplied.",
    }


def _months(frame: pl.DataFrame) -> list[date]:
    first, last = frame["month"].min(), frame["month"].max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    end = pl.Series([last]).dt.month_end()[0]
    return periods(first, end, kind="month")["period_start"].to_list()


def _span(months: list[date]) -> Row:
    """Not the window of the row: what a finding is called never depends on the data."""
    return {"first_month": months[0].isoformat(), "last_month": months[-1].isoformat()}


def _counted(count: int) -> Row:
    return {"estimate": float(count), "n": count, "n_events": float(count)}


def _share(yes: pl.Series) -> Row:
    return {"estimate": float(yes.mean() or 0.0), "n": len(yes)}  # type: ignore[arg-type]


def _window(first: date, last: date) -> Row:
    return {"window_start": first, "window_end": pl.Series([last]).dt.month_end()[0]}


def _row(outcome: str, label: str, feed: str) -> Row:
    return {
        "question": "RQ10",
        "outcome": outcome,
        "outcome_label": label,
        "population": "people at hospital",
        "estimand": "count",
        "method": "count",
        "role": "description",
        "unit": "people",
        "feeds": feed,
    }
