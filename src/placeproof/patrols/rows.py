"""What the rows about delivery share: by place and month, never by unit, officer or device."""

import json
from collections.abc import Iterator, Sequence

import polars as pl

Row = dict[str, object]

BELOW = "Measured from below: time before the first ping and after the last is not known."


def missing(outcome: str, label: str, feed: str) -> Row:
    """
    Say that a number is absent because its feed is.

    Parameters
    ----------
    outcome, label : str
        What would have been shown.
    feed : str
        Table or tables that would have carried it.

    Returns
    -------
    row for table `estimate`
    """
    return base_row(outcome, label, "count", "none", "rows", feed.replace(" or ", " ")) | {
        "status": "not_supplied",
        "reason": f"No rows of table {feed} were supplied.",
    }


def base_row(outcome: str, label: str, estimand: str, method: str, unit: str, feeds: str) -> Row:
    """
    Begin a row about delivery.

    Parameters
    ----------
    outcome, label, estimand, method, unit, feeds : str
        Columns of table `estimate`.

    Returns
    -------
    row for table `estimate`, without a number
    """
    return {
        "question": "delivery",
        "outcome": outcome,
        "outcome_label": label,
        "population": "hot spots",
        "estimand": estimand,
        "method": method,
        "unit": unit,
        "feeds": feeds,
    }


def months_and_all(counted: pl.DataFrame) -> Iterator[tuple[Row, pl.DataFrame]]:
    """
    Take the whole, then each month.

    Parameters
    ----------
    counted : DataFrame
        With `operating_day`.

    Yields
    ------
    (row, DataFrame)
        What the part adds to a row, and the part.
    """
    yield {}, counted
    months = counted.with_columns(month=pl.col("operating_day").dt.strftime("%Y-%m"))
    for (month,), part in sorted(months.group_by("month"), key=lambda item: item[0]):
        yield {"horizon": month}, part


def places(counted: pl.DataFrame) -> Iterator[tuple[Row, pl.DataFrame]]:
    """
    Take each place.

    Parameters
    ----------
    counted : DataFrame
        With `place_id`.

    Yields
    ------
    (row, DataFrame)
        What the part adds to a row, and the part.
    """
    for (place,), part in sorted(counted.group_by("place_id"), key=lambda item: item[0]):
        yield {"subgroup": f"hotspot={place}"}, part


def total_of(part: pl.DataFrame, column: str) -> Row:
    """
    Add up a column.

    Parameters
    ----------
    part : DataFrame
        With `place_id`.
    column : str

    Returns
    -------
    row
        `n` is the number of rows of `part`.
    """
    return {
        "estimate": float(part[column].sum()),
        "n": part.height,
        "n_places": part["place_id"].n_unique(),
    }


def share_of(yes: pl.Series) -> Row:
    """
    Take the share that is true.

    Parameters
    ----------
    yes : Series of bool

    Returns
    -------
    row
        `not_identified` where there is nothing.
    """
    if yes.is_empty():
        return {
            "status": "not_identified",
            "reason": "There is nothing to take a share of.",
            "n": 0,
        }
    return {"estimate": float(yes.mean()), "n": len(yes)}  # type: ignore[arg-type]


def window_of(days: pl.Series) -> Row:
    """
    Say from when to when the data run.

    Parameters
    ----------
    days : Series of Date

    Returns
    -------
    row
        Under `days`, for `finished` to move into the diagnostics.
    """
    return {"days": (days.min(), days.max())}


def finished(rows: Sequence[Row]) -> list[Row]:
    """
    Move the days of the data into the diagnostics.

    They are not the window of the row: what a finding is called never depends on the data.

    Parameters
    ----------
    rows : sequence of rows
        As `window_of` left them. Not modified.

    Returns
    -------
    list of rows for table `estimate`
    """
    done = []
    for row in rows:
        first, last = _pair(row.get("days"))
        said = json.loads(str(row.get("diagnostics", "{}")))
        if first is not None:
            said |= {"first_day": str(first), "last_day": str(last)}
        plain = {name: value for name, value in row.items() if name != "days"}
        done.append(plain | {"diagnostics": json.dumps(said, sort_keys=True)})
    return done


def _pair(days: object) -> tuple[object, object]:
    return days if isinstance(days, tuple) else (None, None)
