"""Rows about how far what is stated agrees with what pings measure."""

import polars as pl

from placeproof.patrols.rows import Row, base_row, window_of

PERCENTILES = (10, 25, 50, 75, 90)


def reconciliation_rows(held: pl.DataFrame) -> list[Row]:
    """
    Stated over measured minutes, how they differ, and what only one source knows of.

    Parameters
    ----------
    held : DataFrame
        As `reconcile.reconciliation` gives it.

    Returns
    -------
    list of rows for table `estimate`
        The difference is stated minus measured minutes of a place and day; `horizon` names the
        percentile.
    """
    days = window_of(held["operating_day"])
    told = held.drop_nulls("stated_minutes")
    n = {"n": told.height, "n_places": told["hotspot_id"].n_unique()}
    ratio = _base("stated_over_measured", "Stated minutes for each minute that pings measure",
                  "ratio", "ratio")  # fmt: skip
    measured = float(told["measured_minutes"].sum())
    if not measured > 0:
        return [
            ratio
            | {
                "status": "not_identified",
                "reason": "On no day that the statements speak of did pings measure any presence.",
                "n": told.height,
            }
        ]
    rows = [ratio | days | n | {"estimate": float(told["stated_minutes"].sum()) / measured}]
    for found_in, outcome, label in (
        (
            "pings",
            "measured_not_stated",
            "Place-days on which pings saw somebody and nobody said so",
        ),
        ("delivered", "stated_not_measured", "Place-days stated on which pings saw nobody"),
    ):
        rows.append(
            _base(outcome, label, "share", "share")
            | days
            | {"estimate": float((held["found_in"] == found_in).mean()), "n": held.height}  # type: ignore[arg-type]
        )
    differs = told["stated_minutes"] - told["measured_minutes"]
    return rows + [
        _base("stated_minus_measured", "Stated minus measured minutes of a place and day",
              "percentile", "minutes per place and day")
        | days
        | n
        | {
            "horizon": f"percentile={percent}",
            "estimate": differs.quantile(percent / 100, interpolation="linear"),
        }
        for percent in PERCENTILES
    ]  # fmt: skip


def _base(outcome: str, label: str, estimand: str, unit: str) -> Row:
    return base_row(outcome, label, estimand, "place_days_in_both", unit, "delivered ping")
