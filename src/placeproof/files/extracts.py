"""One row per identifier: later extracts replace earlier ones, repeats go to quarantine."""

from dataclasses import dataclass

import polars as pl

from placeproof.files.feed import FeedSpec, notice, stacked
from placeproof.files.quarantine import FAULT_SCHEMA, faults

KEYS: dict[str, tuple[str, ...]] = {
    "admission": ("month", "area_code", "area_kind", "cause"),
    "code": ("code_id",),
    "cointervention": ("cointervention_id",),
    "consent": ("subject_id", "subject_kind", "scope"),
    "cost": ("month", "item"),
    "crime": ("crime_id",),
    "ed_assault": ("attendance_id",),
    "event": ("event_id",),
    "incident": ("incident_id",),
    "patrol_log": ("log_id",),
    "response": ("response_id",),
    "session": ("session_id",),
    "shock": ("shock_id",),
    "speaker": ("speaker_id", "session_id"),
    "stop_search": ("search_id",),
    "tasking": ("task_id",),
    "turn": ("session_id", "turn"),
    "withdrawal": ("subject_id", "subject_kind"),
}
"""What identifies a row of each table; tables that are not named may hold equal rows."""

MOVED_M = 1.0
"""A point that differs by more than this between two extracts has moved."""

_ROW = ("file", "source_row")


@dataclass(frozen=True)
class Versions:
    """
    Rows in their latest version.

    Parameters
    ----------
    kept : DataFrame
        One row per identifier, in the order in which they came.
    superseded : DataFrame
        `file` and `source_row` of every older version.
    broken : DataFrame
        `FAULT_SCHEMA`: what changed between versions (kept).
    said : list of notices
        How many were re-classified, moved, cancelled.
    """

    kept: pl.DataFrame
    superseded: pl.DataFrame
    broken: pl.DataFrame
    said: list[dict[str, object]]


def keys_of(contract: str, rows: pl.DataFrame) -> tuple[str, ...]:
    """
    The columns that identify a row of this feed; none where the source gives no identifier.

    Parameters
    ----------
    contract : str
        Canonical table.
    rows : DataFrame
        Its rows.
    """
    keys = KEYS.get(contract, ())
    supplied = bool(keys) and all(rows[key].null_count() < rows.height for key in keys)
    return keys if supplied else ()


def latest(spec: FeedSpec, rows: pl.DataFrame, keys: tuple[str, ...]) -> Versions:
    """
    Keep the latest version of each identifier by the date of its extract.

    Parameters
    ----------
    spec : FeedSpec
        The feed that is read.
    rows : DataFrame
        Typed rows with `file`, `source_row` and `extract_date`.
    keys : tuple of str
        What `keys_of` found for the whole feed.

    Returns
    -------
    Versions
        Rows of one extract date that share an identifier all stay: they are repeats, not versions.
    """
    nothing = Versions(rows, rows.select(_ROW).clear(), pl.DataFrame(schema=FAULT_SCHEMA), [])
    if not keys or "extract_date" not in rows.columns or rows["extract_date"].n_unique() < 2:
        return nothing
    known = pl.all_horizontal(pl.col(key).is_not_null() for key in keys)
    newest = pl.col("extract_date").max().over(keys)
    # A row without an extract date is older than any dated one: nothing says that it is newer.
    old = (
        known
        & newest.is_not_null()
        & ((pl.col("extract_date") < newest) | pl.col("extract_date").is_null())
    )
    judged = rows.with_columns(old=old)
    superseded = judged.filter("old").drop("old")
    if superseded.is_empty():
        return nothing
    kept = judged.filter(~pl.col("old")).drop("old")
    changed = _changes(spec, kept, superseded, keys)
    text = f"{superseded.height} rows of earlier extracts were replaced by later versions."
    said = [notice(spec.name, "superseded", "note", text, rows=superseded.height)]
    return Versions(kept, superseded.select(_ROW), changed, said)


def _changes(
    spec: FeedSpec, kept: pl.DataFrame, superseded: pl.DataFrame, keys: tuple[str, ...]
) -> pl.DataFrame:
    """What became of a crime between its last replaced version and the one that is kept."""
    before = superseded.sort("extract_date", *_ROW).unique(keys, keep="last", maintain_order=True)
    both = kept.join(before, on=keys, how="inner", suffix="_before", maintain_order="left")
    made = []
    for column, rule in (
        ("offence_code", "reclassified"),
        ("category", "reclassified"),
        ("status", "cancelled"),
    ):
        if column in both.columns and f"{column}_before" in both.columns:
            differs = pl.col(column).ne_missing(pl.col(f"{column}_before"))
            if column == "status":
                differs &= pl.col(column) != "recorded"
            made.append(_change(spec, both, differs, rule, column))
    if "easting_m" in both.columns:
        away = (pl.col("easting_m") - pl.col("easting_m_before")).abs() + (
            pl.col("northing_m") - pl.col("northing_m_before")
        ).abs()
        appeared = pl.col("easting_m").is_null() != pl.col("easting_m_before").is_null()
        made.append(
            _change(spec, both, (away > MOVED_M).fill_null(False) | appeared, "moved", "easting_m")
        )
    return stacked(made, FAULT_SCHEMA)


def _change(
    spec: FeedSpec, both: pl.DataFrame, differs: pl.Expr, rule: str, column: str
) -> pl.DataFrame:
    before = pl.col(f"{column}_before").cast(pl.String).fill_null("nothing")
    return faults(
        both,
        differs,
        rule=rule,
        column=spec.columns.get(column, column),
        found=pl.col(column).cast(pl.String).fill_null("nothing"),
        expected=pl.format("{} in the earlier extract", before),
        mend="None is needed: the latest version is used.",
        kept=True,
    )


def repeats(spec: FeedSpec, rows: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    """
    Rows whose identifier stands in an earlier row already, and rows without one, as faults.

    The first row of an identifier stays: counting it twice would be wrong whichever is right.

    Parameters
    ----------
    spec : FeedSpec
        The feed that is read.
    rows : DataFrame
        Typed rows in their latest version, with `file` and `source_row`.
    keys : tuple of str
        What `keys_of` found for the whole feed.
    """
    if not keys:
        return pl.DataFrame(schema=FAULT_SCHEMA)
    column = " + ".join(spec.columns.get(key, key) for key in keys)
    known = pl.all_horizontal(pl.col(key).is_not_null() for key in keys)
    blank = faults(
        rows,
        ~known,
        rule="blank-key",
        column=column,
        found=None,
        expected="an identifier, as the other rows have",
        mend="Give it one in corrections/, by file and source_row.",
    )
    again = rows.filter(known).filter(~pl.struct(keys).is_first_distinct())
    if again.is_empty():
        return blank
    content = [
        name for name in rows.columns if name not in (*_ROW, "source_sha256", "extract_date")
    ]
    those = rows.join(again.select(keys).unique(), on=list(keys), how="semi", maintain_order="left")
    marked = those.with_columns(
        same=~pl.struct(content).is_first_distinct(), later=~pl.struct(keys).is_first_distinct()
    ).filter("later")
    same = (
        pl.when("same")
        .then(pl.lit("the same row again"))
        .otherwise(pl.lit("another row with this identifier"))
    )
    twice = faults(
        marked,
        pl.lit(True),
        rule="duplicate-id",
        column=column,
        found=same,
        expected="each identifier once; its first row is kept",
        mend="Remove the repeat; where files are extracts of several dates, set extract_date.",
    )
    return stacked([blank, twice], FAULT_SCHEMA)
