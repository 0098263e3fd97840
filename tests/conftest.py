"""Fixtures that every room's tests share."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project; its absence skips the test and is counted."""
    if not SHARED.is_dir():
        pytest.skip("needs the real data folder ../shared/data, which is not here")
    return SHARED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the tests that the absence of real data skipped, so that it is never overlooked."""
    skipped = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if "../shared/data" in str(report.longrepr)
    ]
    if skipped:
        terminalreporter.write_line(
            f"SKIPPED FOR WANT OF REAL DATA: {len(skipped)} tests need ../shared/data"
        )
