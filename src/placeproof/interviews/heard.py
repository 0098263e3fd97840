"""Who may be heard: consenting speakers who have not withdrawn, and what they said."""

from dataclasses import dataclass

import polars as pl

from placeproof.tables.consent import refusals
from placeproof.tables.withdrawal import withdrawn

STEPS = ("withdrawn", "no_consent", "no_session", "heard")
"""What becomes of a person in a session; each appearance has exactly one of these."""


@dataclass(frozen=True)
class Heard:
    """What may be analysed.

    Attributes
    ----------
    appearances : DataFrame
        One row per person and session: `speaker_id`, `session_id`, `population`, `role`,
        `hotspot_id`, `hours`, `kind`, `held_at`.
    turns : table `turn`
        Turns of these people and of the interviewer; nobody else's.
    spans : table `coded_span` and `speaker_id`
        Coded stretches of turns of these people.
    accounting : DataFrame
        `step`, `people`: what became of everybody who was recorded, by `STEPS`.
    """

    appearances: pl.DataFrame
    turns: pl.DataFrame
    spans: pl.DataFrame
    accounting: pl.DataFrame


def heard(
    session: pl.DataFrame,
    speaker: pl.DataFrame,
    *,
    turn: pl.DataFrame,
    coded_span: pl.DataFrame,
    consent: pl.DataFrame | None,
    withdrawal: pl.DataFrame | None,
) -> Heard:
    """
    Keep what consenting people said.

    A person is heard when every speaker row of that person and session consents to analysis, no
    consent row takes that back and no withdrawal names the person. Others' turns drop; the rest of
    their group stays. A turn by somebody without a speaker row drops: no consent is known.

    Parameters
    ----------
    session, speaker, turn, coded_span : tables of those names
        Not modified.
    consent, withdrawal : tables of those names, or None

    Returns
    -------
    Heard
        All frames sorted.
    """
    judged = _judged(session, speaker, consent, withdrawal)
    kept = (
        judged.filter(pl.col("step") == "heard")
        .join(_once(session), on="session_id")
        .select(
            "speaker_id",
            "session_id",
            "population",
            "role",
            "hotspot_id",
            "hours",
            "kind",
            "held_at",
        )
        .sort("session_id", "speaker_id")
    )
    whose = ["session_id", "speaker_id"]
    spoken = (
        pl.concat(
            [
                turn.join(kept.select(whose), on=whose, how="semi"),
                turn.filter(pl.col("speaker_id").is_null()),
            ]
        )
        .unique(maintain_order=True)
        .sort("session_id", "turn", "source_sha256", "source_row")
    )
    spans = (
        coded_span.join(
            spoken.filter(pl.col("speaker_id").is_not_null())
            .select("session_id", "turn", "speaker_id")
            .unique(),
            on=["session_id", "turn"],
        )
        .unique()
        .sort("session_id", "turn", "start", "end", "code_id", "coder_id")
    )
    return Heard(kept, spoken, spans, _accounting(judged))


def _once(session: pl.DataFrame) -> pl.DataFrame:
    """Of several rows of one session the first of the first file holds, whatever their order."""
    return session.sort("session_id", "source_sha256", "source_row").unique(
        "session_id", keep="first", maintain_order=True
    )


def _judged(
    session: pl.DataFrame,
    speaker: pl.DataFrame,
    consent: pl.DataFrame | None,
    withdrawal: pl.DataFrame | None,
) -> pl.DataFrame:
    """One row per person and session; contradictory speaker rows refuse."""
    people = (
        speaker.sort("session_id", "speaker_id", "source_sha256", "source_row")
        .group_by("session_id", "speaker_id", maintain_order=True)
        .agg(
            pl.col("consent_analysis").fill_null(False).all(),
            pl.col("population").first(),
            pl.col("role").drop_nulls().first(),
        )
    )
    left = withdrawn(withdrawal, kind="speaker").to_list()
    refused = refusals(consent, kind="speaker").to_list()
    step = (
        pl.when(pl.col("speaker_id").is_in(left))
        .then(pl.lit("withdrawn"))
        .when(~pl.col("consent_analysis") | pl.col("speaker_id").is_in(refused))
        .then(pl.lit("no_consent"))
        .when(~pl.col("session_id").is_in(session["session_id"].to_list()))
        .then(pl.lit("no_session"))
        .otherwise(pl.lit("heard"))
    )
    return people.with_columns(step=step)


def _accounting(judged: pl.DataFrame) -> pl.DataFrame:
    counts = dict(judged.group_by("step").agg(pl.col("speaker_id").n_unique()).iter_rows())
    return pl.DataFrame(
        {"step": STEPS, "people": [counts.get(step, 0) for step in STEPS]},
        schema={"step": pl.String, "people": pl.Int64},
    )
