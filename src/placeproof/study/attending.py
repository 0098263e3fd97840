"""Where people were hurt: attendances located by a gazetteer of the study's places."""

from datetime import date

import polars as pl

from placeproof import hotspots, panel
from placeproof.effects import attendances
from placeproof.errors import InputError
from placeproof.files import sheets
from placeproof.hotspots.gazetteer import Name, matches
from placeproof.study.estimating import for_estimation
from placeproof.study.work import Work

_SPOTS = ("hotspot", "comparison")
_ANYWHERE = {"kind": "force", "group": "other", "target_id": None, "first_treated": None}


def locate_attendances(work: Work) -> None:
    """
    Locate attendances by the words of patients, count them, and estimate the effect on them.

    Parameters
    ----------
    work : Work
        The run; estimates are added. No word of a patient is kept, and no row of one: counts
        alone.
    """
    table = work.inputs.get("ed_assault")
    if table is None or table.is_empty() or work.places is None or work.hotspots is None:
        return
    if not work.lock.outcomes_visible:
        return
    where = located(work, table)
    work.add(attendances.by_place(where))
    inside = work.places.filter(pl.col("kind").is_in(_SPOTS))
    counted = _counted(work, where, inside, whole_months(table))
    outside = where.filter(pl.col("where") != "dwelling").with_columns(
        place_id=pl.when(pl.col("where") == "unlocated")
        .then(pl.lit("unlocated"))
        .otherwise(pl.lit("located"))
    )
    sides = pl.DataFrame(
        [{"place_id": side, **_ANYWHERE} for side in ("located", "unlocated")],
        schema={"place_id": pl.String, "kind": pl.String, "group": pl.String,
                "target_id": pl.String, "first_treated": pl.Date},
    )  # fmt: skip
    totals = _counted(work, outside, sides, whole_months(table))
    if counted is None or totals is None:
        return
    wide = totals.pivot("place_id", index="period_start", values="count")
    made = attendances.attendance_effect(
        for_estimation(work, counted),
        totals=wide.select("period_start", "located", "unlocated"),
        least_located=work.plan.health.least_located,
        odds=work.plan.registers.unlocated_odds,
        level=work.plan.level,
    )
    work.add(made)


def located(work: Work, table: pl.DataFrame) -> pl.DataFrame:
    """
    Say of each attendance where it was, without its words.

    Parameters
    ----------
    work : Work
        The run, its places settled.
    table : table `ed_assault`
        Not modified.

    Returns
    -------
    DataFrame
        One row per attendance, in their order: `status`, `place_id`, `month`, `occurred_from`,
        `where` (hot spots, elsewhere, dwelling, unlocated).
    """
    rules = work.plan.health
    found = matches(
        table["location_text"].to_list(),
        _names(work),
        least_confidence=rules.least_confidence,
        least_margin=rules.least_margin,
    )
    kinds = dict(work.places.select("place_id", "kind").iter_rows())  # type: ignore[union-attr]
    pattern = r"(?i)\b(?:" + "|".join(rules.dwelling_words) + r")\b" if rules.dwelling_words else ""
    said = pl.concat_str(
        pl.col("location_text").fill_null(""), pl.col("location_type").fill_null(""), separator=" "
    )
    at_home = said.str.contains(pattern) if pattern else pl.lit(value=False)
    return found.with_columns(table.select(dwelling=at_home)).select(
        "status",
        "place_id",
        month=table["month"],
        occurred_from=pl.coalesce(table["assaulted_at"], table["arrived_at"]),
        where=pl.when(pl.col("status") == "matched")
        .then(
            pl.when(pl.col("place_id").replace_strict(kinds, default=None) == "hotspot")
            .then(pl.lit("hot spots"))
            .otherwise(pl.lit("elsewhere"))
        )
        .when(pl.col("dwelling"))
        .then(pl.lit("dwelling"))
        .otherwise(pl.lit("unlocated")),
    )


def _names(work: Work) -> list[Name]:
    """Hot spots by their names, then the names of the study's gazetteer by their points."""
    register = work.hotspots.select("name", place_id="hotspot_id").unique(maintain_order=True)  # type: ignore[union-attr]
    names = [Name(row["name"], row["place_id"]) for row in register.to_dicts()]
    path = work.study.gazetteer
    if path is None:
        return names
    read = sheets.sheet(path, shown=path.name).rows
    for column in ("name", "easting_m", "northing_m"):
        if column not in read.columns:
            raise InputError(
                f'{path.name} has no column "{column}".',
                mend="give a table with name, easting_m and northing_m",
            )
    points = read.select(
        pl.col("name").cast(pl.String),
        pl.col("easting_m", "northing_m").cast(pl.Float64, strict=False),
        month=pl.lit(work.study.start),
        occurred_from=pl.lit(None, dtype=pl.Datetime("us", "UTC")),
    ).drop_nulls(["name", "easting_m", "northing_m"])
    placed = hotspots.assign(
        points,
        work.hotspots,  # type: ignore[arg-type]
        comparison=work.comparison,
        edges_m=work.plan.ring_edges_m,
        outline_rule="first",
    )
    both = points.with_columns(placed["place_id"])
    return [*names, *(Name(row["name"], row["place_id"]) for row in both.to_dicts())]


def whole_months(table: pl.DataFrame) -> list[date]:
    """
    List the months in which every site sent a row: others are not supplied, never 0.

    Parameters
    ----------
    table : table `ed_assault`
        Not modified.

    Returns
    -------
    list of date
        First days, sorted.
    """
    sites = table["site"].n_unique()
    held = table.group_by("month").agg(sites=pl.col("site").n_unique())
    return held.filter(pl.col("sites") == sites)["month"].sort().to_list()


def _counted(
    work: Work, where: pl.DataFrame, places: pl.DataFrame, whole: list[date]
) -> pl.DataFrame | None:
    """Attendances by the plan's periods; None where some have no time to be counted by."""
    timed = where["occurred_from"].null_count() == 0
    if not whole or places.is_empty() or not (timed or work.plan.period == "month"):
        return None
    return panel.build(
        where.filter(pl.col("place_id").is_in(places["place_id"].implode())).select(
            "place_id", "month", "occurred_from", occurred_to="occurred_from"
        ),
        places,
        outcome_id=attendances.OUTCOME,
        period_kind=work.plan.period,  # type: ignore[arg-type]
        first=min(work.plan.history_from, work.plan.analysis_from),
        last=min(work.plan.analysis_to, work.study.cut_off),
        supplied_months=whole,
        nte_intervals=None,
    ).filter(hours="all")
