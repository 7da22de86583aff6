"""How much of a benchmark to run, and what it measured."""

import os

#: 1: in full, with its targets asserted; the short form only proves that it runs.
SCALE = float(os.environ.get("NEXUS_BENCH_SCALE", "0.01"))
IN_FULL = SCALE >= 1

#: Lines for the summary, in the order of the tests.
FIGURES: list[str] = []
