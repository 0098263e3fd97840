"""Which responses count: consented, not withdrawn, not left out by a person, once each."""

import polars as pl

from placeproof.tables.consent import refusals
from placeproof.tables.withdrawal import withdrawn

STEPS = ("withdrawn", "no_consent", "excluded", "repeated", "conflicting", "eligible")
"""What can become of a response that was received; each has exactly one of these."""

_LINEAGE = ("source_sha256", "source_row")


def judged(
    response: pl.DataFrame,
    *,
    consent: pl.DataFrame | None,
    withdrawal: pl.DataFrame | None,
    response_flag: pl.DataFrame | None,
) -> pl.DataFrame:
    """
    Say of each response that was received whether it counts, and if not, why not.

    A response counts when its own `consent_survey` is true, no consent row takes that back, no
    withdrawal names it and no person decided to leave it out. A flag that nobody reviewed leaves
    it in. Rows that are alike in every answer count once; rows with one identifier and different
    answers do not count until a correction says which holds.

    Parameters
    ----------
    response : table `response`
        Not modified.
    consent : table `consent`, or None
        Of two contradictory rows the later holds; where their order is not known (one has no
        time, or both have the same), the refusal holds.
    withdrawal : table `withdrawal`, or None
        Normally applied already where files are read; applied again here.
    response_flag : table `response_flag`, or None

    Returns
    -------
    table `response` and `step`
        One row per row received, sorted by identifier and source; `step` is one of `STEPS`.
    """
    answers = [name for name in response.columns if name not in _LINEAGE]
    order = pl.int_range(pl.len()).over("response_id")
    variants = pl.struct(answers).n_unique().over("response_id")
    reasons = {
        "withdrawn": pl.col("response_id").is_in(_ids(withdrawn(withdrawal, kind="response"))),
        "no_consent": ~pl.col("consent_survey").fill_null(False)
        | pl.col("response_id").is_in(_ids(refusals(consent, kind="response"))),
        "excluded": pl.col("response_id").is_in(_ids(_left_out(response_flag))),
        "conflicting": variants > 1,
        "repeated": order > 0,
    }
    step = pl.lit("eligible")
    for name, condition in reversed(reasons.items()):
        step = pl.when(condition).then(pl.lit(name)).otherwise(step)
    # Lineage breaks ties, so that the same copy of a repeated response is kept whatever the order.
    return response.sort(["response_id", *_LINEAGE]).with_columns(step=step)


def unreviewed(response_flag: pl.DataFrame | None) -> pl.Series:
    """
    Identifiers of responses that carry a flag which nobody has reviewed.

    Parameters
    ----------
    response_flag : table `response_flag`, or None

    Returns
    -------
    Series of str, sorted
    """
    if response_flag is None or response_flag.is_empty():
        return pl.Series("response_id", [], dtype=pl.String)
    return response_flag.filter(pl.col("excluded").is_null())["response_id"].unique().sort()


def _left_out(response_flag: pl.DataFrame | None) -> pl.Series:
    if response_flag is None or response_flag.is_empty():
        return pl.Series("response_id", [], dtype=pl.String)
    return response_flag.filter(pl.col("excluded").fill_null(False))["response_id"]


def _ids(ids: pl.Series) -> list[str]:
    return ids.to_list()
