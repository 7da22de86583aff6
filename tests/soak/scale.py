"""How much of a soak to run: a short form by default, all of it where NEXUS_SOAK_SCALE is 1."""

import os

#: Lines for the summary, in the order of the tests.
FIGURES: list[str] = []

SCALE = float(os.environ.get("NEXUS_SOAK_SCALE", "0.05"))


def scaled(whole: int) -> int:
    """This much of `whole`, and at least one."""
    return max(round(whole * SCALE), 1)
