"""Contract of table `problem_plan`."""

from typing import ClassVar

from placeproof.tables.contract import (
    Table,
    day,
    source_row,
    source_sha256,
    text,
)


class ProblemPlan(Table):
    """One row per problem-solving plan.

    Patrol and plan often start together; only different starts tell them apart.
    """

    table_name: ClassVar[str] = "problem_plan"
    contract_version: ClassVar[int] = 1

    plan_id = text("Identifier")
    hotspot_id = text("Hot spot")
    starts_on = day("First day")
    ends_on = day("Last day", null="goes on")
    problem = text("Problem", null="not supplied")
    response = text("What is done", null="not supplied")
    source_sha256 = source_sha256()
    source_row = source_row()
