"""Contract of table `code`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    one_of,
    source_row,
    source_sha256,
    text,
)


class Code(Table):
    """One row per code of the codebook.

    Codes are a tree by `parent_id`.
    """

    table_name: ClassVar[str] = "code"
    contract_version: ClassVar[int] = 1

    code_id = text("Identifier of the code")
    parent_id = text("Code above it", null="a root of the tree")
    name = text("Name")
    definition = text("When it applies", null="not supplied")
    question = one_of(
        "Research question it speaks to",
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
        null="none in particular",
    )
    source_sha256 = source_sha256()
    source_row = source_row()
