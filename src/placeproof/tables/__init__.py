"""One file per table: what one row is, its columns, units, keys and traps."""

from placeproof.tables.admission import Admission
from placeproof.tables.answer import Answer
from placeproof.tables.attendance import Attendance
from placeproof.tables.code import Code
from placeproof.tables.coded_span import CodedSpan
from placeproof.tables.cointervention import Cointervention
from placeproof.tables.consent import Consent
from placeproof.tables.contract import Table
from placeproof.tables.cost import Cost
from placeproof.tables.crime import Crime
from placeproof.tables.delivered import Delivered
from placeproof.tables.dose import Dose
from placeproof.tables.ed_assault import EdAssault
from placeproof.tables.estimate import Estimate
from placeproof.tables.event import Event
from placeproof.tables.finding import Finding
from placeproof.tables.hotspot import Hotspot
from placeproof.tables.incident import Incident
from placeproof.tables.panel import Panel
from placeproof.tables.patrol_log import PatrolLog
from placeproof.tables.ping import Ping
from placeproof.tables.place import Place
from placeproof.tables.place_feature import PlaceFeature
from placeproof.tables.population_margin import PopulationMargin
from placeproof.tables.problem_plan import ProblemPlan
from placeproof.tables.response import Response
from placeproof.tables.response_flag import ResponseFlag
from placeproof.tables.route import Route
from placeproof.tables.session import Session
from placeproof.tables.shock import Shock
from placeproof.tables.speaker import Speaker
from placeproof.tables.stop_search import StopSearch
from placeproof.tables.tally import Tally
from placeproof.tables.tasking import Tasking
from placeproof.tables.turn import Turn
from placeproof.tables.visit import Visit
from placeproof.tables.withdrawal import Withdrawal

TABLES: dict[str, type[Table]] = {
    table.table_name: table
    for table in (
        Admission,
        Answer,
        Attendance,
        Code,
        CodedSpan,
        Cointervention,
        Consent,
        Cost,
        Crime,
        Delivered,
        Dose,
        EdAssault,
        Estimate,
        Event,
        Finding,
        Hotspot,
        Incident,
        Panel,
        PatrolLog,
        Ping,
        Place,
        PlaceFeature,
        PopulationMargin,
        ProblemPlan,
        Response,
        ResponseFlag,
        Route,
        Session,
        Shock,
        Speaker,
        StopSearch,
        Tally,
        Tasking,
        Turn,
        Visit,
        Withdrawal,
    )
}
"""Every contract, by the name of its table."""

__all__ = [
    "TABLES",
    "Admission",
    "Answer",
    "Attendance",
    "Code",
    "CodedSpan",
    "Cointervention",
    "Consent",
    "Cost",
    "Crime",
    "Delivered",
    "Dose",
    "EdAssault",
    "Estimate",
    "Event",
    "Finding",
    "Hotspot",
    "Incident",
    "Panel",
    "PatrolLog",
    "Ping",
    "Place",
    "PlaceFeature",
    "PopulationMargin",
    "ProblemPlan",
    "Response",
    "ResponseFlag",
    "Route",
    "Session",
    "Shock",
    "Speaker",
    "StopSearch",
    "Table",
    "Tally",
    "Tasking",
    "Turn",
    "Visit",
    "Withdrawal",
]
