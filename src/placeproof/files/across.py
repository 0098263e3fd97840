"""What only several tables together can tell: names of places, people, codes that lead nowhere."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from placeproof.files.feed import QUARANTINE_SCHEMA, notice, notices, stacked
from placeproof.tables import TABLES

_LISTED = 5


@dataclass(frozen=True)
class Link:
    """
    A column of one table that names rows of another.

    Parameters
    ----------
    table, columns : str, tuple of str
        Where the name stands.
    target, keys : str, tuple of str
        Where it must be found; null names nothing and is not looked for.
    code : str
        Code of the notice.
    """

    table: str
    columns: tuple[str, ...]
    target: str
    keys: tuple[str, ...]
    code: str


_OF_PLACES = (
    "tasking", "patrol_log", "delivered", "response", "tally", "session", "cointervention",
    "problem_plan", "event",
)  # fmt: skip
LINKS: tuple[Link, ...] = (
    *(Link(t, ("hotspot_id",), "hotspot", ("hotspot_id",), "unknown-hotspot") for t in _OF_PLACES),
    Link("response", ("poster_hotspot_id",), "hotspot", ("hotspot_id",), "unknown-hotspot"),
    Link("speaker", ("session_id",), "session", ("session_id",), "unknown-session"),
    Link("turn", ("session_id",), "session", ("session_id",), "unknown-session"),
    Link("turn", ("session_id", "speaker_id"), "speaker", ("session_id", "speaker_id"),
         "unknown-speaker"),
    Link("coded_span", ("session_id", "turn"), "turn", ("session_id", "turn"), "unknown-turn"),
    Link("coded_span", ("code_id",), "code", ("code_id",), "unknown-code"),
    Link("response_flag", ("response_id",), "response", ("response_id",), "unknown-response"),
)  # fmt: skip
"""Every link between tables that are read."""


def check(
    tables: Mapping[str, pl.DataFrame], *, paths: Mapping[str, str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Compare the tables of a study with each other.

    Parameters
    ----------
    tables : mapping
        Canonical name to rows; absent tables are not compared with.
    paths : mapping
        SHA-256 of a file to its name, from the receipts.

    Returns
    -------
    notices : DataFrame
        `NOTICE_SCHEMA`; `feed` is the name of the table.
    flagged : DataFrame
        `QUARANTINE_SCHEMA`: the rows that are meant. All of them are kept.
    """
    said: list[dict[str, object]] = []
    flagged: list[pl.DataFrame] = []
    for link in LINKS:
        if link.table in tables and link.target in tables:
            lost = _lost(tables[link.table], tables[link.target], link)
            said += _said_of_lost(lost, link, paths)
            flagged.append(_flagged(lost, link, paths))
    said += _said_of_treatment(tables)
    said += _said_of_sessions(tables)
    said += _said_of_spans(tables)
    said += _said_of_withdrawals(tables)
    return notices(said), stacked(flagged, QUARANTINE_SCHEMA)


def _lost(rows: pl.DataFrame, target: pl.DataFrame, link: Link) -> pl.DataFrame:
    named = rows.filter(pl.all_horizontal(pl.col(link.columns).is_not_null()))
    return named.join(
        target.select(link.keys).unique(),
        left_on=link.columns,
        right_on=link.keys,
        how="anti",
        maintain_order="left",
    )


def _is_personal(link: Link) -> bool:
    columns = TABLES[link.table].columns()
    return any((columns[name].metadata or {}).get("personal") for name in link.columns)


def _said_of_lost(
    lost: pl.DataFrame, link: Link, paths: Mapping[str, str]
) -> list[dict[str, object]]:
    if lost.is_empty():
        return []
    first = lost.row(0, named=True)
    name = paths.get(first["source_sha256"], link.table)
    names = ""
    if not _is_personal(link):
        distinct = lost.select(link.columns).unique().sort(link.columns)
        shown = [" ".join(map(str, row)) for row in distinct.head(_LISTED).iter_rows()]
        more = f" and {distinct.height - _LISTED} more" if distinct.height > _LISTED else ""
        names = f" ({', '.join(shown)}{more})"
    column = " and ".join(link.columns)
    text = (
        f"{lost.height} rows of table {link.table} name a {column} that table {link.target} does "
        f"not have{names}; the first is {name}, row {first['source_row']}."
    )
    mend = f"Correct the names, or add what they mean to table {link.target}."
    return [notice(link.table, link.code, "warning", text, mend=mend, rows=lost.height)]


def _flagged(lost: pl.DataFrame, link: Link, paths: Mapping[str, str]) -> pl.DataFrame:
    hidden = _is_personal(link)
    found = (
        pl.lit("")
        if hidden
        else pl.concat_str([pl.col(name).cast(pl.String) for name in link.columns], separator=" ")
    )
    return lost.select(
        pl.lit(link.table).alias("feed"),
        pl.col("source_sha256").replace_strict(dict(paths), default="").alias("path"),
        "source_sha256",
        "source_row",
        pl.lit(" + ".join(link.columns)).alias("column"),
        pl.lit(link.code).alias("rule"),
        found.alias("found"),
        pl.lit(f"one of table {link.target}").alias("expected"),
        pl.lit("Correct the name, or add the row it means.").alias("mend"),
    )


def _said_of_treatment(tables: Mapping[str, pl.DataFrame]) -> list[dict[str, object]]:
    """Patrols before the first treated day, and treated places that nobody was sent to."""
    if "hotspot" not in tables or "tasking" not in tables:
        return []
    starts = (
        tables["hotspot"]
        .group_by("hotspot_id")
        .agg(
            pl.col("first_treated").min(), pl.col("first_treated").is_not_null().any().alias("ever")
        )
    )
    local = pl.col("window_from").dt.convert_time_zone("Europe/London").dt.date()
    tasked = tables["tasking"].filter(~pl.col("cancelled")).join(starts, on="hotspot_id")
    early = tasked.filter(local < pl.col("first_treated"))
    never = tasked.filter(~pl.col("ever"))
    unsent = starts.filter("ever").join(tables["tasking"], on="hotspot_id", how="anti")
    said = []
    if early.height:
        spots = _names(early)
        text = f"{early.height} tasks lie before the first treated day of their hot spot ({spots})."
        mend = "Correct first_treated in the register: the date of the effect hangs on it."
        said.append(notice("tasking", "tasked-before-start", "warning", text, mend=mend,
                           rows=early.height))  # fmt: skip
    if never.height:
        spots = _names(never)
        text = f"{never.height} tasks are for hot spots without a first treated day ({spots})."
        mend = "Add first_treated to the register, or they count as never treated."
        said.append(notice("tasking", "tasked-but-untreated", "warning", text, mend=mend,
                           rows=never.height))  # fmt: skip
    if unsent.height:
        text = f"{unsent.height} treated hot spots have no task ({_names(unsent)})."
        said.append(notice("tasking", "treated-but-untasked", "warning", text, rows=unsent.height))
    return said


def _names(rows: pl.DataFrame, column: str = "hotspot_id") -> str:
    distinct = rows[column].unique().sort().to_list()
    more = f" and {len(distinct) - _LISTED} more" if len(distinct) > _LISTED else ""
    return ", ".join(distinct[:_LISTED]) + more


def _said_of_sessions(tables: Mapping[str, pl.DataFrame]) -> list[dict[str, object]]:
    if "session" not in tables or "speaker" not in tables:
        return []
    sessions, speakers = tables["session"], tables["speaker"]
    empty = sessions.join(speakers, on="session_id", how="anti")
    consenting = speakers.filter("consent_analysis")
    mute = sessions.join(speakers, on="session_id", how="semi").join(
        consenting, on="session_id", how="anti"
    )
    count = (
        speakers.join(sessions, on="session_id", how="left").group_by("session_id", "kind").len()
    )
    alone = count.filter((pl.col("kind") == "group") & (pl.col("len") == 1))
    crowd = count.filter((pl.col("kind") == "individual") & (pl.col("len") > 1))
    cases = (
        (empty, "session-without-speaker", "have no speaker: nobody is counted in them"),
        (mute, "session-without-consent", "have no speaker who consents to analysis: not analysed"),
        (alone, "group-of-one", "are groups of one person"),
        (crowd, "individual-of-many", "are individual interviews of several people"),
    )
    return [
        notice("session", code, "warning", f"{rows.height} sessions {text} "
               f"({_names(rows, 'session_id')}).", rows=rows.height)
        for rows, code, text in cases
        if rows.height
    ]  # fmt: skip


def _said_of_spans(tables: Mapping[str, pl.DataFrame]) -> list[dict[str, object]]:
    if "coded_span" not in tables or "turn" not in tables:
        return []
    # Codepoints, not bytes or UTF-16 units: programs differ, and a wrong unit shifts every span.
    lengths = tables["turn"].select(
        "session_id", "turn", pl.col("words").str.len_chars().alias("n")
    )
    beyond = (
        tables["coded_span"]
        .join(lengths, on=["session_id", "turn"])
        .filter(pl.col("end") > pl.col("n"))
    )
    if beyond.is_empty():
        return []
    text = f"{beyond.height} coded spans end beyond the words of their turn."
    mend = "Offsets count codepoints from 0; check the unit of the program that made them."
    return [notice("coded_span", "span-beyond-turn", "error", text, mend=mend, rows=beyond.height)]


def _said_of_withdrawals(tables: Mapping[str, pl.DataFrame]) -> list[dict[str, object]]:
    if "withdrawal" not in tables:
        return []
    known = {"response": ("response", "response_id"), "speaker": ("speaker", "speaker_id")}
    lost = 0
    for kind, (table, key) in known.items():
        if table in tables:
            those = tables["withdrawal"].filter(pl.col("subject_kind") == kind)
            lost += those.join(tables[table], left_on="subject_id", right_on=key, how="anti").height
    if not lost:
        return []
    text = f"{lost} withdrawals name nobody in the tables: already removed, or a wrong identifier."
    mend = "Check the identifiers: a person who left must not stay."
    return [notice("withdrawal", "withdrawal-of-nobody", "warning", text, mend=mend, rows=lost)]
