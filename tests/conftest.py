"""What all tests share."""

import signal
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

from execution.analytics.aggregations import Dbt
from tests.warehouse.started_dbt import dbt_command

#: What is slow is told by benchmarks: a busy machine is no failure.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
#: Who starts tests in the background has Ctrl-C ignored, by us and by what we start.
signal.signal(signal.SIGINT, signal.default_int_handler)

_COMMAND = Dbt.command
#: Folders of quick tests: run last, they keep all workers busy while the last slow files end.
_QUICK = {"unit", "api"}


def _started(dbt: Dbt, *arguments: str) -> list[str]:
    command = _COMMAND(dbt, *arguments)[3:]  # all but `python -P -m`
    if arguments[0] == "build":  # once is enough: test_project_health runs them
        command += ["--exclude-resource-type", "unit_test"]
    return dbt_command(*command)


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
