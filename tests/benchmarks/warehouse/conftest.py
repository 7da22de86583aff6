"""Prints what the benchmark has measured, below pytest's own summary."""

import pytest

from tests.benchmarks.warehouse.figures import FIGURES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FIGURES:
        terminalreporter.section("warehouse")
        for line in FIGURES:
            terminalreporter.write_line(line)
