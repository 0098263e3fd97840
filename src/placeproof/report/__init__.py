"""Findings to figures, maps, tables and pages; computes no estimate."""

from placeproof.report.contents import ReportContents, StudyFacts
from placeproof.report.numbers import filled, shown
from placeproof.report.write import write

__all__ = ["ReportContents", "StudyFacts", "filled", "shown", "write"]
