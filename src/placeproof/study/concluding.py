"""From estimates to findings, through disclosure control, to the answers."""

import polars as pl

from placeproof import answers
from placeproof.study.deviations import marked
from placeproof.study.placing import first_start
from placeproof.study.work import Work
from placeproof.tables import TABLES, estimate


def conclude(work: Work) -> None:
    """
    Give every estimate its identity, release what may be released, answer the questions.

    Parameters
    ----------
    work : Work
        The run; tables `finding` and `answer` are added.
    """
    work.add(data_estimates(work))
    gathered = _masked(work, pl.concat(work.estimates))
    inputs = {name: work.inputs.sha256s(name) for name in TABLES}
    findings = answers.from_estimates(gathered, inputs=inputs)
    released = answers.release(
        findings,
        people_below=work.plan.people_below,
        counts_below=work.plan.counts_below,
        round_to=work.plan.round_to,
    )
    released = marked(released, work.lock.deviations)
    work.tables["finding"] = released
    work.tables["answer"] = answers.answer_all(
        released,
        supplied={name: work.inputs.get(name) is not None for name in TABLES}
        | {"hotspot": work.hotspots is not None},
        exploratory=work.lock.state in {"exploratory", "changed"},
        retrospective=work.study.outcomes_public,
        plausible_effect=work.plan.plausible_effect,
        few_places_below=work.plan.few_places_below,
        shocks=work.shocks(),
        first_start=first_start(work),
    )


def _masked(work: Work, estimates: pl.DataFrame) -> pl.DataFrame:
    """No number that answers a question is seen before the plan is locked, whatever its strand."""
    if work.lock.outcomes_visible:
        return estimates
    answering = pl.col("question").str.starts_with("RQ") & (pl.col("status") == "estimated")
    numbers = ["estimate", "lower", "upper", "standard_error", "p_value", "n_events"]
    return estimates.with_columns(
        *(pl.when(~answering).then(pl.col(name)).alias(name) for name in numbers),
        diagnostics=pl.when(answering).then(pl.lit("{}")).otherwise("diagnostics"),
        reason=pl.when(answering).then(pl.lit(work.lock.stamp)).otherwise("reason"),
        status=pl.when(answering).then(pl.lit("masked")).otherwise("status"),
    )


def data_estimates(work: Work) -> pl.DataFrame:
    """
    Say for each feed how many rows went in, were kept, left out or superseded.

    Parameters
    ----------
    work : Work
        The run.

    Returns
    -------
    table `estimate`
        Question `data`, estimand `count`, horizon "rows in", "rows kept" and so on; outcome is the
        feed.
    """
    rows = []
    for feed, receipts in work.inputs.result.receipts.group_by("feed", maintain_order=True):
        tables = " ".join(sorted(set(" ".join(receipts["table"].drop_nulls()).split())))
        for part in ("in", "kept", "quarantined", "superseded", "corrected"):
            rows.append(
                {
                    "question": "data",
                    "outcome": f"feed {feed[0]}",
                    "outcome_label": f"Rows of the feed {feed[0]}",
                    "population": "rows",
                    "horizon": f"rows {part}",
                    "estimand": "count",
                    "method": "reading",
                    "estimate": float(receipts[f"rows_{part}"].sum()),
                    "unit": "rows",
                    "feeds": tables,
                }
            )
    return estimate.rows(rows)
