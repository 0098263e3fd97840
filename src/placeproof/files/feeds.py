"""Rules of single tables beyond their contracts: doses, surveys, interviews, health, registers."""

import re
from collections.abc import Callable
from dataclasses import replace

import polars as pl

from placeproof.errors import InputError
from placeproof.files import sheets, tabular
from placeproof.files.cells import header
from placeproof.files.feed import FeedResult, FeedSpec, Surroundings, notice, notices, stacked
from placeproof.files.quarantine import FAULT_SCHEMA, faults, personal
from placeproof.files.sheet import Sheet
from placeproof.tables import TABLES

LONGEST_PATROL_H = 16
LONGEST_EVENT_H = 72
LONGEST_WAIT_DAYS = 31
_SUPPRESSED = ("*", "**", "c", "s", "x", "-", "1-7", "<8", "<5", "<=7", "suppressed")
_US_CODE = re.compile(r"^[A-Z]\d{2}\.?[0-9A-Z]{3}[ADS]$", re.IGNORECASE)
_ASSAULT_GROUP = re.compile(r"^X85(\.\d)?\s*(-|–|—|to)\s*Y0?9(\.\d)?$", re.IGNORECASE)
_IN_SOURCE = "Correct it in the source, or by a row in corrections/."
_NOTHING = "None is needed if it is true; else correct the source."

Judge = Callable[[FeedSpec, pl.DataFrame], list[pl.DataFrame]]


def read(spec: FeedSpec, surroundings: Surroundings) -> FeedResult:
    """
    Read a mapped table with the rules of its contract and those that only its meaning gives.

    Parameters
    ----------
    spec : FeedSpec
        Which files, and how their columns map.
    surroundings : Surroundings
        Force outline, first day and cut-off of the study.

    Returns
    -------
    FeedResult
        As `tabular.read`. Suppressed counts ("*") become null with `suppressed` true; doubtful rows
        are kept and flagged; impossible ones are in quarantine.

    Raises
    ------
    InputError
        As `tabular.read`; if admissions are coded in the US edition (ICD-10-CM).
    """
    judge = _JUDGES.get(spec.contract)

    def rule(inner: FeedSpec, rows: pl.DataFrame, _: Surroundings) -> pl.DataFrame:
        return stacked(judge(inner, rows) if judge else [], FAULT_SCHEMA)

    if spec.contract != "admission":
        result = tabular.read(spec, surroundings, more_rules=(rule,))
    else:
        spec, files = _admissions(spec)
        result = tabular.from_sheets(spec, surroundings, files, more_rules=(rule,))
    said = [*result.notices.iter_rows(named=True), *_said(spec, result.tables[spec.contract])]
    return replace(result, notices=notices(said))


def _admissions(spec: FeedSpec) -> tuple[FeedSpec, list[Sheet]]:
    """Admissions with suppressed counts told from numbers, and cause groups in one spelling."""
    files = [
        sheets.sheet(
            path,
            shown=spec.shown(path),
            encoding=spec.encoding,
            separator=spec.separator,
            tab=spec.sheet,
        )
        for path in spec.paths
    ]
    for file in files:
        _refuse_us_codes(spec, file)
    told = "suppressed" in spec.constants or any("suppressed" in f.headers for f in files)
    told = told or "suppressed" in spec.columns
    marked = [_suppression(spec, file, told=told) for file in files]
    if not told and _count_header(spec) in files[0].headers:
        spec = replace(spec, columns={**spec.columns, "suppressed": _MARK})
    return spec, marked


_MARK = "suppressed, by the mark in the count"


def _count_header(spec: FeedSpec) -> str:
    return spec.columns.get("admissions", "admissions")


def _suppression(spec: FeedSpec, file: Sheet, *, told: bool) -> Sheet:
    count, cause = _count_header(spec), spec.columns.get("cause", "cause")
    rows, headers = file.rows, file.headers
    if cause in headers:
        text = rows[cause].cast(pl.String).str.strip_chars()
        group = text.str.contains(f"(?i){_ASSAULT_GROUP.pattern}")
        rows = rows.with_columns(
            pl.when(group).then(pl.lit("X85-Y09")).otherwise(text).alias(cause)
        )
    if count in headers:
        number = pl.col(count).cast(pl.String).str.strip_chars()
        hidden = number.str.to_lowercase().is_in(_SUPPRESSED).fill_null(False)
        marks = [] if told else [hidden.cast(pl.String).alias(_MARK)]
        rows = rows.with_columns(*marks, pl.when(~hidden).then(number).alias(count))
        headers = headers if told else (*headers, _MARK)
    return replace(file, rows=rows, headers=headers)


def _refuse_us_codes(spec: FeedSpec, file: Sheet) -> None:
    cause = spec.columns.get("cause", "cause")
    if cause not in file.headers:
        return
    codes = file.rows.select("source_row", pl.col(cause).cast(pl.String).str.strip_chars())
    american = codes.filter(pl.col(cause).str.contains(f"(?i){_US_CODE.pattern}"))
    if american.height:
        row, code = american.row(0)
        raise InputError(
            f'{file.path}, row {row}, column "{cause}": "{code}" is a code of ICD-10-CM, the US '
            "edition: it has a seventh character for the encounter (A, D or S). Its groups are "
            "not those of the WHO's ICD-10, in which English hospitals code assault as X85–Y09 "
            f"(X99 sharp object). {american.height} rows are coded so.",
            mend="Ask for admissions by WHO ICD-10 cause group; US codes cannot be mapped safely.",
        )


def _flag(
    spec: FeedSpec,
    rows: pl.DataFrame,
    broken: pl.Expr,
    rule: str,
    column: str,
    expected: str,
    *,
    kept: bool,
    found: pl.Expr | None = None,
) -> pl.DataFrame:
    hidden = personal(spec.contract, column)
    return faults(
        rows,
        broken,
        rule=rule,
        column=header(spec, column),
        found=None if hidden else (pl.col(column) if found is None else found),
        expected=expected,
        mend=_NOTHING if kept else _IN_SOURCE,
        kept=kept,
    )


def _minutes(start: str, end: str) -> pl.Expr:
    return (pl.col(end) - pl.col(start)).dt.total_seconds() / 60


def _tasking(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    window = _minutes("window_from", "window_to")
    reason = pl.col("cancel_reason")
    return [
        _flag(spec, rows, window == 0, "empty-window", "window_to",
              "a window that lasts", kept=False),
        _flag(spec, rows, (pl.col("target_minutes") > window) & (window > 0),
              "target-beyond-window", "target_minutes", "no more than the window", kept=True),
        _flag(spec, rows, pl.col("cancelled") & reason.is_null(), "cancelled-without-reason",
              "cancel_reason", "a reason; the task stays in the denominator", kept=True),
        _flag(spec, rows, ~pl.col("cancelled") & reason.is_not_null(), "reason-without-cancelling",
              "cancel_reason", "no reason where the task was not cancelled", kept=True),
        _flag(spec, rows, pl.col("cancelled") & pl.col("missed_reason").is_not_null(),
              "missed-though-cancelled", "missed_reason",
              "a reason for missing only where the task was not cancelled", kept=True),
    ]  # fmt: skip


def _patrol_log(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    length = _minutes("started_at", "ended_at")
    return [
        _flag(spec, rows, length > 60 * LONGEST_PATROL_H, "very-long", "ended_at",
              f"a patrol of at most {LONGEST_PATROL_H} hours", kept=True),
        _flag(spec, rows, length == 0, "no-length", "ended_at", "an end after the start",
              kept=True),
        _flag(spec, rows, pl.col("officers") == 0, "no-officers", "officers",
              "at least one officer", kept=True),
    ]  # fmt: skip


def _delivered(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    length = _minutes("started_at", "ended_at")
    people = pl.col("officers").fill_null(1).clip(1)
    return [
        _flag(spec, rows, pl.col("minutes") > length * people + 1, "minutes-beyond-span",
              "minutes", "no more than the officers can have spent between start and end",
              kept=True),
        _flag(spec, rows, pl.col("minutes") > 1440 * people, "minutes-beyond-day", "minutes",
              "at most 1,440 minutes a day and officer", kept=False),
        _flag(spec, rows, pl.col("minutes") == 0, "no-length", "minutes", "time in the place",
              kept=True),
    ]  # fmt: skip


def _tally(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    answered = pl.col("refused") + pl.col("completed")
    return [
        _flag(spec, rows, answered > pl.col("approached"), "counts-contradict", "approached",
              "no fewer than refused and completed together", kept=False),
        _flag(spec, rows, pl.col("approached") > pl.col("passers_by"), "counts-contradict",
              "passers_by", "no fewer than were approached", kept=False),
    ]  # fmt: skip


def _consent(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    asked = ["subject_id", "subject_kind", "scope"]
    refused = (~pl.col("given")).any().over(asked)
    return [
        _flag(spec, rows, pl.col("given") & refused, "consent-contradicts", "given",
              "one answer for a use; a refusal stands beside this one, and holds", kept=False),
    ]  # fmt: skip


def _response(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    fieldwork = pl.col("mode") == "fieldworker"
    volunteer = pl.col("mode").is_in(["poster", "link"])
    early_prompt = pl.col("aware_unprompted") & ~pl.col("aware_prompted")
    return [
        _flag(spec, rows, ~pl.col("consent_survey"), "no-consent", "consent_survey",
              "consent; without it no answer is analysed", kept=True),
        _flag(spec, rows, volunteer & pl.col("base_weight").is_not_null(), "weighted-volunteer",
              "base_weight", "no design weight: who answers a poster or link is a volunteer",
              kept=True),
        _flag(spec, rows, fieldwork & (pl.col("base_weight") == 0), "zero-weight", "base_weight",
              "a weight above 0", kept=True),
        _flag(spec, rows, early_prompt, "awareness-contradicts", "aware_prompted",
              "yes, where the patrols were named unprompted", kept=True),
    ]  # fmt: skip


def _speaker(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    silent = ~pl.col("consent_analysis")
    return [
        _flag(spec, rows, silent, "no-consent", "consent_analysis",
              "consent; without it no turn is analysed", kept=True),
        _flag(spec, rows, silent & pl.col("consent_quotes"), "consent-contradicts",
              "consent_quotes", "no quotation without consent to analysis", kept=True),
    ]  # fmt: skip


def _coded_span(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    return [
        _flag(spec, rows, pl.col("end") <= pl.col("start"), "end-before-start", "end",
              "after the start: the end is exclusive", kept=False),
    ]  # fmt: skip


def _code(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    parents = dict(rows.select("code_id", "parent_id").iter_rows())
    known = pl.col("parent_id").is_in(list(filter(None, parents)))
    rounds = [code for code in parents if _in_a_ring(code, parents)]
    return [
        _flag(spec, rows, ~known, "unknown-parent", "parent_id", "a code of the codebook",
              kept=True),
        _flag(spec, rows, pl.col("code_id").is_in(rounds), "parents-in-a-ring", "parent_id",
              "a tree: no code stands above itself", kept=False),
    ]  # fmt: skip


def _in_a_ring(code: str, parents: dict[str, str | None]) -> bool:
    at, seen = parents.get(code), {code}
    while at is not None and at not in seen:
        seen.add(at)
        at = parents.get(at)
    return at == code


def _ed_assault(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    waited = (pl.col("arrived_at") - pl.col("assaulted_at")).dt.total_days()
    return [
        _flag(spec, rows, waited > LONGEST_WAIT_DAYS, "long-wait", "assaulted_at",
              f"an arrival within {LONGEST_WAIT_DAYS} days of the assault", kept=True),
    ]  # fmt: skip


def _admission(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    count, hidden = pl.col("admissions"), pl.col("suppressed")
    return [
        _flag(spec, rows, hidden & count.is_not_null(), "suppressed-count-shown", "admissions",
              "no count where the source says that it suppressed it", kept=False),
        _flag(spec, rows, ~hidden & count.is_null(), "blank value", "admissions",
              'a count, 0, or "*" for a suppressed one', kept=False),
        _flag(spec, rows, ~hidden & count.is_between(1, 7), "small-count", "admissions",
              "0, or 8 and more: 1 to 7 is suppressed below national level", kept=True,
              found=pl.lit("1 to 7")),
    ]  # fmt: skip


def _cost(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    nothing = pl.col("hours").is_null() & pl.col("amount_gbp").is_null()
    return [
        _flag(spec, rows, nothing, "blank value", "amount_gbp", "hours or money, or both",
              kept=False),
    ]  # fmt: skip


def _event(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    length = _minutes("starts_at", "ends_at")
    return [
        _flag(spec, rows, length > 60 * LONGEST_EVENT_H, "very-long", "ends_at",
              f"an event of at most {LONGEST_EVENT_H} hours", kept=True),
    ]  # fmt: skip


def _population_margin(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    variables = TABLES["response"].column_names()
    return [
        _flag(spec, rows, ~pl.col("variable").is_in(variables), "unknown-variable", "variable",
              "a column of table response: nothing else can be weighted to", kept=True),
    ]  # fmt: skip


def _place_feature(spec: FeedSpec, rows: pl.DataFrame) -> list[pl.DataFrame]:
    point = pl.col("measure") == "point"
    twice = pl.struct("feature", "area_code").is_duplicated() & pl.col("area_code").is_not_null()
    return [
        _flag(spec, rows, ~point & pl.col("area_code").is_null(), "blank value", "area_code",
              "the code of the area that a level or an amount is for", kept=False),
        _flag(spec, rows, ~point & pl.col("value").is_null(), "blank value", "value",
              "the level or amount of the area", kept=False),
        _flag(spec, rows, point & pl.col("easting_m").is_null(), "no-location", "easting_m",
              "the location of the point", kept=False),
        _flag(spec, rows, twice, "two-values", "area_code",
              "one value of a feature for each area", kept=False),
    ]  # fmt: skip


_JUDGES: dict[str, Judge] = {
    "tasking": _tasking,
    "patrol_log": _patrol_log,
    "delivered": _delivered,
    "tally": _tally,
    "consent": _consent,
    "response": _response,
    "speaker": _speaker,
    "coded_span": _coded_span,
    "code": _code,
    "ed_assault": _ed_assault,
    "admission": _admission,
    "cost": _cost,
    "event": _event,
    "population_margin": _population_margin,
    "place_feature": _place_feature,
}


def _said(spec: FeedSpec, rows: pl.DataFrame) -> list[dict[str, object]]:
    if rows.is_empty():
        return []
    if spec.contract == "ed_assault":
        return _said_of_health(spec, rows)
    if spec.contract == "admission":
        hidden = int(rows["suppressed"].sum())
        text = (
            f"{hidden} of {rows.height} counts are suppressed by the source: they are between 1 "
            "and 7, not 0. Admissions are by residence or hospital, never by place of assault."
        )
        return [notice(spec.name, "suppressed-counts", "note", text, rows=hidden)]
    return []


def _said_of_health(spec: FeedSpec, rows: pl.DataFrame) -> list[dict[str, object]]:
    absent = rows["location_text"].null_count()
    text = (
        f"{absent} of {rows.height} attendances ({absent / rows.height:.0%}) say nothing of where "
        "the assault was; they are not missing at random."
    )
    said = [notice(spec.name, "missing-locations", "warning", text, rows=absent)]
    whole = pl.date_range(pl.col("month").min(), pl.col("month").max(), "1mo")
    months = rows.select(whole.alias("month"))["month"].to_list()
    for (site,), group in rows.group_by("site", maintain_order=True):
        gaps = sorted(set(months) - set(group["month"].to_list()))
        if gaps:
            listed = ", ".join(f"{month:%Y-%m}" for month in gaps[:6])
            more = f" and {len(gaps) - 6} more" if len(gaps) > 6 else ""
            gap = f"Site {site} has no row in {listed}{more}: not supplied, not 0."
            said.append(notice(spec.name, "months-not-supplied", "warning", gap))
    return said
