"""Contract of table `finding`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    day,
    number,
    one_of,
    text,
    whole,
)


class Finding(Table):
    """One row per estimate with its identity and provenance.

    `finding_id` is a hash of the descriptive keys, never of data; `value_id` adds the hashes of
    the inputs.
    """

    table_name: ClassVar[str] = "finding"
    contract_version: ClassVar[int] = 2

    finding_id = text(
        "Hash of question, outcome, definition, population, subgroup, hours, horizon, window, "
        "estimand and method",
        key=True,
    )
    value_id = text("Hash of finding_id and the hashes of the inputs")
    inputs = text("JSON list of the SHA-256 of every file it rests on, sorted")

    question = one_of(
        "What it helps to answer",
        "RQ1",
        "RQ2",
        "RQ3",
        "RQ4",
        "RQ5",
        "RQ6",
        "RQ7",
        "RQ8",
        "RQ9",
        "RQ10",
        "delivery",
        "places",
        "data",
    )
    outcome = text("Outcome, by the id of its definition, or what is described")
    outcome_label = text("The outcome in words for a reader")
    definition_edition = text(
        "Definition, edition and hash that were used, as id@edition:hash",
        null="no registered definition",
    )
    population = text("Which places or people")
    subgroup = text("Part of the population, as variable=category; all for everyone")
    hours = text("Hours of the day; all, nte or other, with the preset: nte:nte-core")
    horizon = text(
        "Time since the start, month, ring or whatever orders a series; all for the whole window"
    )
    window_start = day("First day of the data used", null="not tied to a window")
    window_end = day("Last day of the data used", null="not tied to a window")
    estimand = text("What is estimated, by its name in the glossary")
    method = text("How, by its name in the glossary")
    role = one_of(
        "Its part in the argument",
        "headline",
        "beside",
        "robustness",
        "negative_control",
        "placebo",
        "description",
        "not_impact",
    )
    estimate = number(
        "The estimate", unit="see column unit", null="not identified, not supplied or suppressed"
    )
    lower = number("Lower end of the interval", unit="see column unit", null="no interval")
    upper = number("Upper end of the interval", unit="see column unit", null="no interval")
    level = number(
        "Coverage that the interval claims", unit="share", null="no interval", low=0, high=1
    )
    standard_error = number(
        "Standard error, on the scale named in diagnostics (log for ratios)",
        unit="see column unit",
        null="none",
        low=0,
    )
    p_value = number("Two-sided p-value", unit="probability", null="none", low=0, high=1)
    n = whole(
        "Rows, people or place-periods that it rests on, unweighted", null="does not apply", low=0
    )
    n_places = whole("Places that it rests on", null="does not apply", low=0)
    n_events = number("Events that it rests on", unit="count", null="does not apply", low=0)
    unit = text("Unit of the estimate: ratio, crimes, share, minutes, people, rows…")
    minimum_detectable_effect = number(
        "Smallest effect found with 80 % power at two-sided 5 %, on the scale of the estimate",
        unit="see column unit",
        null="does not apply",
    )
    status = one_of(
        "Whether there is a number",
        "estimated",
        "not_identified",
        "not_supplied",
        "suppressed",
        "masked",
    )
    reason = text("Why there is no number, or what limits it", null="nothing to say")
    diagnostics = text("Further figures as a JSON object with sorted keys")
    feeds = text("Canonical tables that it rests on, separated by blanks")
    exploratory = text(
        "What was changed after the plan was locked and touches this number",
        null="made as the locked plan says, or the whole study is exploratory",
    )
