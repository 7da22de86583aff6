"""What all tests share."""

from collections.abc import Iterator

import pytest
import structlog

from execution.analytics.aggregations import Dbt
from tests.warehouse.started_dbt import dbt_command

_COMMAND = Dbt.command
#: Folders of quick tests: run last, they keep all workers busy while the last slow files end.
_QUICK = {"unit", "api"}


def _started(dbt: Dbt, *arguments: str) -> list[str]:
    return dbt_command(*_COMMAND(dbt, *arguments)[3:])  # all but `python -P -m`


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: bool(_QUICK & set(item.path.parts)))


@pytest.fixture(scope="session", autouse=True)
def started_dbt() -> Iterator[None]:
    """Builds within the tests' process use a dbt that has been started, to save its start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Dbt, "command", _started)
        yield


@pytest.fixture
def real_dbt(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a test that looks at the process."""
    monkeypatch.setattr(Dbt, "command", _COMMAND)


@pytest.fixture(autouse=True)
def logs_of_no_command() -> Iterator[None]:
    """A command sets the logs of its process up: they do not outlive the test that called it."""
    yield
    structlog.reset_defaults()
