"""Contract of table `population_margin`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    number,
    one_of,
    source_row,
    source_sha256,
    text,
)


class PopulationMargin(Table):
    """One row per area, variable and category of a known population count.

    Editions differ; census ethnic groups are not the survey's unless harmonised.
    """

    table_name: ClassVar[str] = "population_margin"
    contract_version: ClassVar[int] = 1

    area_code = text("Hot spot or area that the count is for")
    population = one_of("Which population", "resident", "business", "user")
    variable = text("Variable, named as in table response")
    category = text("Category of the variable")
    people = number("People or businesses in it", unit="count", low=0)
    edition = text("Source and year of the count")
    source_sha256 = source_sha256()
    source_row = source_row()
