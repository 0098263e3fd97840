"""What a reader must know of rows of data.police.uk before counting them."""

from collections.abc import Collection

import polars as pl

from placeproof.files.feed import FeedSpec, notice


def noticed(
    spec: FeedSpec, counts: pl.DataFrame, crime: pl.DataFrame, known: Collection[str]
) -> list[dict[str, object]]:
    """
    Notices about locations, identifiers and categories.

    Parameters
    ----------
    spec : FeedSpec
        The feed that is read.
    counts : DataFrame
        `rows` and rows `missing` a location of street files, by `month` and `crime_type`.
    crime : table `crime`
        What became of those that are no anti-social behaviour.
    known : collection of str
        Crime types that Placeproof knows.
    """
    said = [_missing_locations(spec, counts), *_standing_twice(spec, crime)]
    mixed = crime.filter(pl.col("category") == "violent-crime").height
    if mixed:
        text = (
            '"Violence and sexual offences" mixes injury, no injury, stalking, harassment and '
            "sexual offences: it is not serious violence, and is never labelled so."
        )
        said.append(notice(spec.name, "mixed-category", "note", text, rows=mixed))
    strange = sorted(set(counts["crime_type"].unique().drop_nulls()) - set(known))
    if strange:
        text = (
            f"Crime types that Placeproof does not know: {', '.join(strange)}. Their rows are kept."
        )
        count = int(counts.filter(pl.col("crime_type").is_in(strange))["rows"].sum())
        mend = "Check them: they enter no outcome but all crime."
        said.append(notice(spec.name, "unknown-code", "warning", text, mend=mend, rows=count))
    return said


def _missing_locations(spec: FeedSpec, counts: pl.DataFrame) -> dict[str, object]:
    by_month = counts.group_by("month").agg(pl.col("rows", "missing").sum())
    by_month = by_month.with_columns(share=pl.col("missing") / pl.col("rows"))
    missing, rows = int(counts["missing"].sum()), int(counts["rows"].sum())
    shares = sorted(by_month["share"].to_list()) or [0.0]
    low, high = shares[0], shares[-1]
    text = (
        f"{missing:,} of {rows:,} rows have no location: from {low:.1%} of a month's rows "
        f"to {high:.1%}. Counts by place are biased by a share that changes."
    )
    severity = "warning" if missing else "note"
    return notice(spec.name, "missing-locations", severity, text, rows=missing)


def _standing_twice(spec: FeedSpec, crime: pl.DataFrame) -> list[dict[str, object]]:
    ids = crime["crime_id"].drop_nulls()
    # Numbers tell rows apart faster than texts of 64 signs; only equal numbers are looked at again.
    alike = ids.filter(ids.hash().is_duplicated())
    distinct = ids.len() - alike.len() + alike.n_unique()
    if distinct == ids.len():
        return []
    text = (
        f"{ids.len() - distinct} crimes carry an identifier that stands elsewhere too. All are "
        "kept: data.police.uk gives no date by which one could replace the other."
    )
    return [notice(spec.name, "duplicate-id", "note", text, rows=ids.len() - distinct)]
