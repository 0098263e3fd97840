"""The data dictionary page, made from the contracts, so that it cannot drift from them.

To write the page again:
``python -m placeproof.files.data_dictionary docs/reference/data-dictionary.md``
"""

import inspect
import sys
from collections.abc import Mapping
from pathlib import Path

import dataframely as dy

from placeproof.tables import TABLES, Table

_TYPES = {
    "String": "text",
    "Int64": "whole number",
    "Float64": "number",
    "Datetime": "moment",
    "Date": "day",
    "Bool": "true or false",
    "Binary": "shape",
}
_HEAD = """# Data dictionary

<!-- Made from the contracts by placeproof.files.data_dictionary; do not edit. -->

Each table below is a contract: a row that breaks it goes to quarantine with its file, row, column
and reason. *Personal* columns never have their values shown in messages, quarantine or proposals.
Moments are held in UTC; lengths and areas in metres on the British National Grid (EPSG:27700). A
row without a value in a column that is never null is quarantined.
"""


def markdown(tables: Mapping[str, type[Table]] = TABLES) -> str:
    """
    Write the whole data dictionary as one Markdown page.

    Parameters
    ----------
    tables : Mapping[str, type[Table]]
        Contracts by table name; all of them unless told otherwise.

    Returns
    -------
    str
        A list of tables in the order of their names, then a section for each: what one row is,
        what is wrong with the source, keys, and every column with type, unit, allowed values,
        meaning of null and whether it is personal. Ends with one newline.
    """
    names = sorted(tables)
    index = "\n".join(f"- [`{name}`](#{name}): {_what_a_row_is(tables[name])}" for name in names)
    sections = "\n\n".join(section(tables[name]) for name in names)
    return f"{_HEAD}\n{index}\n\n{sections}\n"


def section(table: type[Table]) -> str:
    """
    Write the section of one table.

    Parameters
    ----------
    table : type[Table]
        The contract.

    Returns
    -------
    str
        Markdown, without a final newline.
    """
    columns = table.columns()
    keys = [f"`{name}`" for name, column in columns.items() if column.primary_key]
    rows = "\n".join(_column_row(name, column) for name, column in columns.items())
    parts = [
        f'<a id="{table.table_name}"></a>\n\n## `{table.table_name}`',
        f"**{_what_a_row_is(table)}** Contract version {table.contract_version}.",
        _traps(table),
        f"Key: {', '.join(keys)}." if keys else "",
        "| column | type | unit | what it says | allowed | null means | personal |\n"
        "|---|---|---|---|---|---|---|\n" + rows,
    ]
    return "\n\n".join(part for part in parts if part)


def _what_a_row_is(table: type[Table]) -> str:
    return inspect.getdoc(table).splitlines()[0]  # type: ignore[union-attr]


def _traps(table: type[Table]) -> str:
    return " ".join(" ".join(inspect.getdoc(table).splitlines()[1:]).split())  # type: ignore[union-attr]


def _column_row(name: str, column: dy.Column) -> str:
    facts = column.metadata or {}
    cells = [
        f"`{name}`",
        _TYPES[type(column).__name__],
        facts["unit"],
        column.description or "",
        _allowed(column, facts["allowed"]),
        facts["null"] if column.nullable else "never null",
        "yes" if facts["personal"] else "",
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _allowed(column: dy.Column, values: tuple[str, ...]) -> str:
    if values:
        return ", ".join(f"`{value}`" for value in values)
    low, high = getattr(column, "min", None), getattr(column, "max", None)
    if low is None:
        return "" if high is None else f"at most {high:g}"
    return f"{low:g} or more" if high is None else f"{low:g} to {high:g}"


def _main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("Name the page to write: docs/reference/data-dictionary.md\n")
        return 2
    Path(arguments[0]).write_text(markdown(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
