"""What is said when the cluster could not be tested."""

import pytest

NO_JAVA = "SKIPPED FOR WANT OF JAVA 17: the Spark cluster was not tested; see README"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line, so that it is never overlooked."""
    skipped = terminalreporter.stats.get("skipped", [])
    number = sum(NO_JAVA in str(report.longrepr) for report in skipped)
    if number:
        terminalreporter.write_line(f"{NO_JAVA} ({number} tests)")
