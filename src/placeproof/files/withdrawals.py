"""Withdrawals: people who took part and left are taken out of every table at the edge."""

from collections.abc import Mapping

import polars as pl

SUBJECTS: dict[str, tuple[tuple[str, str], ...]] = {
    "response": (("response_id", "response"),),
    "response_flag": (("response_id", "response"),),
    "speaker": (("speaker_id", "speaker"),),
    "turn": (("speaker_id", "speaker"),),
}
"""For each table of people: which column names whom. Police and health rows rest on no consent."""

_TURN = ["session_id", "turn"]


def without(
    tables: Mapping[str, pl.DataFrame], withdrawal: pl.DataFrame
) -> tuple[dict[str, pl.DataFrame], dict[str, int]]:
    """
    Take the rows of people who withdrew out of all tables.

    Rows of `consent` go too, and coded spans of turns that go. A contact who withdraws leaves
    `consent` alone: no other table knows contacts.

    Parameters
    ----------
    tables : mapping
        Canonical name to rows. Not modified.
    withdrawal : table `withdrawal`
        Who left: `subject_id` and `subject_kind`.

    Returns
    -------
    tables : dict
        All tables, in their order of rows.
    counts : dict
        Table to the number of rows taken out, for each table that holds people.
    """
    left = withdrawal.select("subject_id", "subject_kind").unique()
    kept, counts = dict(tables), {}
    for name, subjects in SUBJECTS.items():
        if name in kept:
            for column, kind in subjects:
                ids = left.filter(pl.col("subject_kind") == kind)["subject_id"]
                gone = pl.col(column).is_in(ids.implode()).fill_null(False)
                kept[name] = kept[name].filter(~gone)
            counts[name] = tables[name].height - kept[name].height
    if "coded_span" in kept and "turn" in kept:
        lost = tables["turn"].join(kept["turn"].select(_TURN), on=_TURN, how="anti")
        kept["coded_span"] = kept["coded_span"].join(
            lost.select(_TURN), on=_TURN, how="anti", maintain_order="left"
        )
        counts["coded_span"] = tables["coded_span"].height - kept["coded_span"].height
    if "consent" in kept:
        kept["consent"] = kept["consent"].join(
            left, on=["subject_id", "subject_kind"], how="anti", maintain_order="left"
        )
        counts["consent"] = tables["consent"].height - kept["consent"].height
    return kept, counts
