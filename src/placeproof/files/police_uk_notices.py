"""What a reader must know of rows of data.police.uk before counting them."""

import polars as pl

from placeproof.files.feed import FeedSpec, notice


def noticed(
    spec: FeedSpec, rows: pl.DataFrame, facts: pl.DataFrame, crime: pl.DataFrame
) -> list[dict[str, object]]:
    """
    Notices about locations, identifiers and categories.

    Parameters
    ----------
    spec : FeedSpec
        The feed that is read.
    rows : DataFrame
        Rows of street files.
    facts : DataFrame
        Per file: `rows`, and rows without a location as `longitude_deg_null`.
    crime : table `crime`
        What became of those rows that are no anti-social behaviour.
    """
    said = [_missing_locations(spec, facts), *_standing_twice(spec, crime)]
    mixed = int((crime["category"] == "violent-crime").sum())
    if mixed:
        text = (
            '"Violence and sexual offences" mixes injury, no injury, stalking, harassment and '
            "sexual offences: it is not serious violence, and is never labelled so."
        )
        said.append(notice(spec.name, "mixed-category", "note", text, rows=mixed))
    return said + _unknown_types(spec, rows)


def _unknown_types(spec: FeedSpec, rows: pl.DataFrame) -> list[dict[str, object]]:
    if rows["police_generated"].null_count() == 0:  # every known type says whether police found it
        return []
    strange = rows.filter(pl.col("police_generated").is_null())["crime_type"].drop_nulls()
    names = ", ".join(strange.unique().sort())
    text = f"Crime types that Placeproof does not know: {names}. Their rows are kept."
    mend = "Check them: they enter no outcome but all crime."
    return [notice(spec.name, "unknown-code", "warning", text, mend=mend, rows=strange.len())]


def _missing_locations(spec: FeedSpec, facts: pl.DataFrame) -> dict[str, object]:
    missing, rows = int(facts["longitude_deg_null"].sum()), int(facts["rows"].sum())
    shares = sorted((facts["longitude_deg_null"] / facts["rows"]).to_list()) or [0.0]
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
