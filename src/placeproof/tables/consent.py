"""Contract of table `consent`."""

from typing import ClassVar

import polars as pl

from placeproof.tables.contract import (
    Table,
    instant,
    one_of,
    source_row,
    source_sha256,
    text,
    yes_no,
)


class Consent(Table):
    """One row per person and use that was asked for.

    The lawful basis is a study setting; this is ethical consent.
    """

    table_name: ClassVar[str] = "consent"
    contract_version: ClassVar[int] = 1

    subject_id = text("Response, speaker or contact", personal=True)
    subject_kind = one_of("What the subject is", "response", "speaker", "contact")
    scope = one_of("Which use", "survey", "analysis", "quotes", "recontact", "archive")
    given = yes_no("Whether consent was given")
    at = instant("When it was asked", null="not supplied")
    sheet_version = text("Version of the information sheet seen", null="not supplied")
    source_sha256 = source_sha256()
    source_row = source_row()


_COVERING = ("survey", "analysis")


def refusals(consent: pl.DataFrame | None, *, kind: str) -> pl.Series:
    """
    Identifiers whose consent rows say no to the use of their contribution.

    Parameters
    ----------
    consent : table `consent`, or None
        Only the scopes survey and analysis are read: refusing quotes does not refuse analysis. Of
        two contradictory rows of one scope the later holds; where their order is not known (one
        has no time, or both have the same), the refusal holds.
    kind : str
        Kind of subject: response or speaker.

    Returns
    -------
    Series of str, sorted
    """
    if consent is None or consent.is_empty():
        return pl.Series("subject_id", [], dtype=pl.String)
    covering = consent.filter(pl.col("subject_kind") == kind, pl.col("scope").is_in(_COVERING))
    refused, given = pl.col("at").filter(~pl.col("given")), pl.col("at").filter(pl.col("given"))
    later_yes = refused.is_not_null().all() & (given.max() > refused.max()).fill_null(False)
    # Each scope for itself: a later yes to one does not take back a no to the other.
    return (
        covering.group_by("subject_id", "scope")
        .agg(any_no=(~pl.col("given")).any(), later_yes=later_yes)
        .filter(pl.col("any_no") & ~pl.col("later_yes"))["subject_id"]
        .unique()
        .sort()
    )
