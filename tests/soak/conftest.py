"""Prints what the soaks have counted, below pytest's own summary."""

import pytest

from tests.soak.scale import FIGURES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FIGURES:
        terminalreporter.section("soak")
        for line in FIGURES:
            terminalreporter.write_line(line)
