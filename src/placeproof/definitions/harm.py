"""Harm: a weight for each offence, from an index that the user supplies in a named edition."""

from dataclasses import dataclass

import polars as pl

from placeproof.errors import InputError


@dataclass(frozen=True)
class HarmWeights:
    """
    One edition of a harm index.

    Attributes
    ----------
    edition : str
        Name of the index and its edition, as it is to stand beside every result.
    sha256 : str
        First eight characters of the hash of its rows.
    weights : DataFrame
        One row per offence: `offence_code`, `harm`. Sorted by code.
    """

    edition: str
    sha256: str
    weights: pl.DataFrame

    @property
    def edition_tag(self) -> str:
        """What stands beside every result: harm@edition:hash."""
        return f"harm@{self.edition}:{self.sha256}"


def harm_weights(table: pl.DataFrame, edition: str) -> HarmWeights:
    """
    Check a harm index that the user supplies.

    Parameters
    ----------
    table : DataFrame
        One row per offence: `offence_code` (text), `harm` (number, 0 or more, in the unit of the
        index). Other columns are ignored.
    edition : str
        Name of the index and its edition; it cannot be empty.

    Returns
    -------
    HarmWeights

    Raises
    ------
    InputError
        If a column is missing, the edition is not named, the table is empty, a code is blank or
        stands twice, or a weight is missing or below 0.
    """
    if not edition.strip():
        raise InputError(
            "The harm index has no edition: two editions give two results.",
            mend='name it, for example "Cambridge Crime Harm Index 2026-02".',
        )
    for name in ("offence_code", "harm"):
        if name not in table.columns:
            raise InputError(
                f'The harm index "{edition}" has no column {name}.', mend="add or map the column."
            )
    weights = table.select(
        pl.col("offence_code").cast(pl.String).str.strip_chars(),
        pl.col("harm").cast(pl.Float64, strict=False),
    )
    _refuse_bad_rows(weights, edition)
    weights = weights.sort("offence_code")
    return HarmWeights(edition, _fingerprint(weights), weights)


def harm(crime: pl.DataFrame, weights: HarmWeights) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Give each crime its harm.

    Offences found by police activity are left out, because more patrols raise them. Where the
    mapping does not say whether an offence is so found, the crime stays in.

    Parameters
    ----------
    crime : table `crime`
        Only rows that stand as recorded count. Not modified.
    weights : HarmWeights
        One edition of an index.

    Returns
    -------
    events : DataFrame
        The rows of `crime` that could be weighted, in their order, with `harm` and
        `harm_edition`.
    unknown : DataFrame
        One row per offence code that the index lacks: `offence_code` (null where the crime has
        none), `crimes`. Sorted. Crimes counted here have no harm, not harm 0.

    Raises
    ------
    InputError
        If the crimes carry no offence codes at all.
    """
    return weighed(crime.filter(pl.col("status") == "recorded"), weights)


def weighed(events: pl.DataFrame, weights: HarmWeights) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Give events that count as an outcome their harm.

    Parameters
    ----------
    events : DataFrame
        With `offence_code` and `police_generated`, as `select` takes them. Not modified.
    weights : HarmWeights
        One edition of an index.

    Returns
    -------
    events, unknown : DataFrame
        As `harm` gives them.

    Raises
    ------
    InputError
        If no event carries an offence code.
    """
    counted = events.filter(~pl.col("police_generated").fill_null(False))
    if counted.height and counted["offence_code"].null_count() == counted.height:
        raise InputError(
            "Harm cannot be computed: no crime carries an offence code.",
            mend="map offence_code in study.toml, or leave harm out of plan.toml.",
        )
    joined = counted.join(
        weights.weights,
        left_on=pl.col("offence_code").str.strip_chars(),
        right_on="offence_code",
        how="left",
        maintain_order="left",
    )
    unknown = (
        joined.filter(pl.col("harm").is_null())
        .group_by("offence_code")
        .agg(crimes=pl.len().cast(pl.Int64))
        .sort("offence_code", nulls_last=True)
    )
    events = joined.filter(pl.col("harm").is_not_null())
    return events.with_columns(harm_edition=pl.lit(weights.edition_tag)), unknown


def _refuse_bad_rows(weights: pl.DataFrame, edition: str) -> None:
    faults = {
        "has no rows": weights.is_empty(),
        "has rows without an offence code": _any(weights, pl.col("offence_code").eq("")),
        "has weights that are missing, no number or below 0": _any(
            weights, ~(pl.col("harm").is_finite() & (pl.col("harm") >= 0))
        ),
        "has offence codes that stand twice": _any(weights, pl.col("offence_code").is_duplicated()),
    }
    for fault, found in faults.items():
        if found:
            raise InputError(
                f'The harm index "{edition}" {fault}.',
                mend="correct the table: one row for each offence code, with its weight.",
            )


def _any(weights: pl.DataFrame, bad: pl.Expr) -> bool:
    return not weights.filter(bad.fill_null(True)).is_empty()


def _fingerprint(weights: pl.DataFrame) -> str:
    import hashlib

    rows = "\n".join(f"{code}\t{harm!r}" for code, harm in weights.iter_rows())
    return hashlib.sha256(rows.encode("utf-8")).hexdigest()[:8]
