"""How much harm: the effect on crimes weighed by each edition of the study's harm index."""

import polars as pl

from placeproof import effects, panel
from placeproof.definitions import HarmWeights, Outcome, outcomes, select, supplied, weighed
from placeproof.effects.harm import HARM_RATIO, Weighed, harm_effects
from placeproof.errors import InputError, StudyError
from placeproof.study.counting import supplied_months
from placeproof.study.estimating import for_estimation
from placeproof.study.placing import assigned
from placeproof.study.settings import HarmFile
from placeproof.study.weighing import codes_named, harm_index
from placeproof.study.work import Work, described
from placeproof.tables import estimate

ALL_CRIME = "all-crime-reported"
"""All crime without what police work finds: the outcome whose harm answers RQ2."""

_SPOTS = ("hotspot", "comparison")
_NO_INDEX = "No harm index was supplied, so harm is not weighed."


def estimate_harm(work: Work) -> None:
    """
    Estimate by how much harm changed, for all crime and each headline, by each edition.

    Parameters
    ----------
    work : Work
        The run; estimates are added. Offences that police work finds are left out, and so are
        crimes whose code an index lacks; how many those are stands beside each result.
    """
    crime = work.inputs.get("crime")
    if crime is None or work.panel is None or not work.lock.outcomes_visible:
        return
    if not work.study.harm:
        work.add(_without(work, "", _NO_INDEX))
        return
    counted, named = [], {}
    for file in work.study.harm:
        index = harm_index(file)
        for outcome_id in _outcomes(work):
            try:
                sums, told = _weighed(work, outcome_id, file, index)
            except StudyError as error:
                work.add(_without(work, file.edition, error.message))
                continue
            name = f"{told.planned.edition}/{outcome_id}"
            counted.append(sums.with_columns(outcome=pl.lit(name)))
            named[name] = told
    if not counted:
        return
    made = harm_effects(
        for_estimation(work, pl.concat(counted)), outcomes=named, level=work.plan.level
    )
    # Editions are told apart by their tag: the outcome is the same one.
    work.add(
        made.with_columns(outcome=pl.lit("harm-") + pl.col("outcome").str.split("/").list.last())
    )


def _outcomes(work: Work) -> list[str]:
    """All crime first, then headlines that are counted from crimes alone."""
    headlines = [
        name
        for name in work.headline_outcomes()
        if outcomes()[name].source_tables == ("crime",) and name != ALL_CRIME
    ]
    return [ALL_CRIME, *headlines]


def _weighed(
    work: Work, outcome_id: str, file: HarmFile, index: HarmWeights
) -> tuple[pl.DataFrame, Weighed]:
    definition = outcomes()[outcome_id]
    events = _events(work, definition)
    inside = work.places.filter(pl.col("kind").is_in(_SPOTS))  # type: ignore[union-attr]
    here = events.filter(pl.col("place_id").is_in(inside["place_id"].implode()))
    harmed, unknown = weighed(here, index)
    lacking = int(unknown["crimes"].sum())
    if lacking > harmed.height:
        raise InputError(
            f"The index {file.edition} lacks the codes of {lacking:,} crimes in the places, more "
            f"than the {harmed.height:,} that it weighs.",
            mend="supply the index that goes with the offence codes of the export.",
        )
    like = work.panel.filter(hours="all")  # type: ignore[union-attr]
    sums = panel.build(
        harmed.with_columns(weight=pl.col("harm")),
        inside,
        outcome_id="harm",
        period_kind=work.plan.period,  # type: ignore[arg-type]
        first=like["period_start"].min(),  # type: ignore[arg-type]
        last=like["period_end"].max(),  # type: ignore[arg-type]
        supplied_months=supplied_months(work, outcome_id),
        nte_intervals=None,
    )
    planned = effects.PlannedOutcome(
        question="RQ2" if outcome_id == ALL_CRIME else work.question_of(outcome_id),
        label=f"Harm of {_small(definition.label)}, {file.edition}",
        edition=index.edition_tag,
        role="beside",
        feeds=work.feeds_of(outcome_id),
    )
    limits = None
    if lacking:
        limits = (
            f"{lacking:,} of {lacking + harmed.height:,} crimes in the places are left out, "
            f"because the index lacks their codes (crimes): {codes_named(unknown)}."
        )
    within = harmed.filter(
        pl.col("month").is_between(like["period_start"].min(), like["period_end"].max())
    )
    return sums, Weighed(planned, f"harm {file.unit}", float(within.height), limits)


def _small(label: str) -> str:
    """A label inside a sentence; an abbreviation keeps its capitals."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def _events(work: Work, definition: Outcome) -> pl.DataFrame:
    if definition.id in work.selected:
        return work.selected[definition.id]
    crime = work.inputs.get("crime")
    reason = supplied(definition, crime, None)
    if reason:
        raise InputError(f"{definition.label} cannot be counted: {reason}.", mend="supply it.")
    return assigned(work, select(definition, crime=crime, incident=None))


def _without(work: Work, edition: str, reason: str) -> pl.DataFrame:
    words = f", {edition}" if edition else ""
    row = dict(described(work, ALL_CRIME)) | {
        "outcome": f"harm-{ALL_CRIME}",
        "outcome_label": f"Harm of recorded crime{words}",
        "definition_edition": f"harm@{edition}" if edition else None,
        "question": "RQ2",
        "population": "treated hot spots",
        "estimand": HARM_RATIO,
        "method": "poisson_imputation_jackknife",
        "role": "beside",
        "unit": "ratio",
        "status": "not_supplied",
        "reason": reason,
    }
    return estimate.rows([row])
