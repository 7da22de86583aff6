"""Stand-ins for the tests of this folder."""

from collections.abc import Callable

import pytest
from sandbox_asker import START, Asker

from ingest.sandbox.app import create_sandbox
from ingest.sandbox.world import World, demo_accounts


@pytest.fixture(scope="session")
def make_asker() -> Callable[[], Asker]:
    return lambda: Asker(
        create_sandbox(World(demo_accounts(), START, days_before=60, days_after=20))
    )


@pytest.fixture(scope="session")
def shared(make_asker: Callable[[], Asker]) -> Asker:
    """One stand-in for tests that change nothing: its posts are made once."""
    asker = make_asker()
    asker.scenario(enforce_limits=False)
    return asker


@pytest.fixture
def fresh(make_asker: Callable[[], Asker]) -> Asker:
    """A stand-in of its own for a test that changes something."""
    return make_asker()
