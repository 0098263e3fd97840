"""How grave: where the harm of recorded crime is concentrated, by an index the user supplies."""

import polars as pl

from placeproof import hotspots
from placeproof.definitions import HarmWeights, harm, harm_weights
from placeproof.errors import InputError
from placeproof.files import sheets
from placeproof.study.placing import CONCENTRATION_CELL_M, CONCENTRATION_TOP, first_start
from placeproof.study.settings import HarmFile
from placeproof.study.work import Work
from placeproof.tables import estimate

UNKNOWN_CODES_NAMED = 20


def weigh_harm(work: Work) -> None:
    """
    Weigh recorded crime by the study's harm index and say where its harm is concentrated.

    Parameters
    ----------
    work : Work
        The run; estimates are added where `study.toml` names an index. Offences that police work
        finds are left out; codes that the index lacks are listed, and have no harm, not harm 0.
    """
    for file in work.study.harm:
        _concentration(work, file)


def harm_index(file: HarmFile) -> HarmWeights:
    """
    Read one edition of the study's harm index.

    Parameters
    ----------
    file : HarmFile
        Where it stands.

    Returns
    -------
    HarmWeights
        Checked.

    Raises
    ------
    InputError
        If a column is missing or a row breaks the form of an index.
    """
    read = sheets.sheet(file.path, shown=file.path.name).rows
    for column in (file.code, file.weight):
        if column not in read.columns:
            raise InputError(
                f'{file.path.name} has no column "{column}".',
                mend="name its columns in study.toml, [harm], keys code and weight",
            )
    return harm_weights(
        read.select(offence_code=pl.col(file.code), harm=pl.col(file.weight)), file.edition
    )


def _concentration(work: Work, file: HarmFile) -> None:
    crime = work.inputs.get("crime")
    if crime is None or work.inputs.area_wkb is None:
        return
    index = harm_index(file)
    window = (work.plan.selection_from, work.plan.selection_to)
    first = first_start(work)
    visible = crime if work.lock.outcomes_visible or first is None else _before(crime, first)
    events, unknown = harm(
        visible.filter(pl.col("month").is_between(window[0].replace(day=1), window[1])), index
    )
    name = {
        "outcome": "harm",
        "outcome_label": f"Harm of recorded crime, {file.edition}",
        "definition_edition": index.edition_tag,
        "feeds": "crime",
    }
    cells = hotspots.grid_counts(
        events,
        cell_m=CONCENTRATION_CELL_M,
        area_wkb=work.inputs.area_wkb,
        weight="harm",
    )
    work.add(
        hotspots.concentration(
            cells,
            top=CONCENTRATION_TOP,
            population=f"{CONCENTRATION_CELL_M:g} m cells of the study area",
            window=window,
            **name,
        )
    )
    work.add(_unknown_codes(unknown, name))


def _before(crime: pl.DataFrame, first: object) -> pl.DataFrame:
    return crime.filter(pl.col("month") < pl.lit(first).dt.month_start())


def _unknown_codes(unknown: pl.DataFrame, name: dict[str, str]) -> pl.DataFrame:
    codes = codes_named(unknown)
    reason = f"The index lacks these offence codes (crimes): {codes}." if codes else None
    row = {
        "question": "data",
        "population": "crimes whose offence code the harm index lacks",
        "estimand": "count",
        "method": "reading",
        "estimate": float(unknown["crimes"].sum()),
        "unit": "crimes",
        "reason": reason,
    }
    return estimate.rows([name | row])


def codes_named(unknown: pl.DataFrame) -> str:
    """
    List the offence codes that an index lacks, the most frequent first.

    Parameters
    ----------
    unknown : DataFrame
        As `definitions.harm` gives it.

    Returns
    -------
    str
        "N23 (120), N11 (3)", at most so many as a reader bears; "" where none is lacking.
    """
    named = unknown.sort("crimes", "offence_code", descending=[True, False], nulls_last=True)
    codes = [
        f"{row['offence_code'] or 'no code'} ({row['crimes']:,})"
        for row in named.head(UNKNOWN_CODES_NAMED).iter_rows(named=True)
    ]
    more = max(0, unknown.height - UNKNOWN_CODES_NAMED)
    return ", ".join(codes) + (f" and {more} more codes" if more else "")
