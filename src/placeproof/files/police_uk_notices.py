"""What a reader must know of rows of data.police.uk before counting them."""

from collections.abc import Mapping

import polars as pl

from placeproof.files.feed import FeedSpec, notice


def noticed(
    spec: FeedSpec, facts: pl.DataFrame, strange: Mapping[str, int], crime: pl.DataFrame
) -> list[dict[str, object]]:
    """
    Notices about locations, identifiers and categories.

    Parameters
    ----------
    spec : FeedSpec
        The feed that is read.
    facts : DataFrame
        Per file: `rows`, and rows without a location as `longitude_deg_null`.
    strange : mapping
        Crime types that are not known, with their rows.
    crime : table `crime`
        What became of rows that are no anti-social behaviour.
    """
    said = [_missing_locations(spec, facts), *_standing_twice(spec, crime)]
    mixed = int((crime["category"] == "violent-crime").sum())
    if mixed:
        text = (
            '"Violence and sexual offences" mixes injury, no injury, stalking, harassment and '
            "sexual offences: it is not serious violence, and is never labelled so."
        )
        said.append(notice(spec.name, "mixed-category", "note", text, rows=mixed))
    if strange:
        text = (
            f"Crime types that Placeproof does not know: {', '.join(strange)}. Their rows are kept."
        )
        mend = "Check them: they enter no outcome but all crime."
        rows = sum(strange.values())
        said.append(notice(spec.name, "unknown-code", "warning", text, mend=mend, rows=rows))
    return said


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
