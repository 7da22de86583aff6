"""Prints what the benchmarks have measured, below pytest's own summary."""

import pytest

from tests.benchmarks.retention.figures import FIGURES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FIGURES:
        terminalreporter.section("retention")
        for line in FIGURES:
            terminalreporter.write_line(line)
