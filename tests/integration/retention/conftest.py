"""A household for each test: a copy of one that moved in once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.retention.household import Household, household


@pytest.fixture(scope="session")
def moved_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    with household(tmp_path_factory.mktemp("household")) as made:
        made.move_in()
        yield made


@pytest.fixture
def home(moved_in: Household, tmp_path: Path) -> Iterator[Household]:
    copied = moved_in.twin(tmp_path)
    yield copied
    copied.app.store.close()
