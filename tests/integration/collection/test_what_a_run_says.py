"""What `nexus sync` says of what it did not do, and how it ends."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from execution.app import App
from execution.cli import main
from execution.control.connections import EXPIRED, STOPPED, set_state
from execution.run import ExitCode
from ingest.sandbox.world import PLAIN, AccountSpec
from tests.integration.collection.conftest import Play
from tests.integration.collection.scene import Scene


def sync(scene: Scene, **options: Any) -> tuple[ExitCode, Mapping[str, Any]]:
    summary: dict[str, Any] = {}
    return scene.app.sync(summary, **options), summary


def end(scene: Scene, platform: str, state: str, reason: str) -> None:
    with scene.app.store.begin() as session:
        set_state(session, scene.connection(platform).id, state, reason)


def test_an_ended_consent_is_said_in_every_run_and_logged_once_a_slot(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.connect("profile")
    sync(scene)
    end(scene, "twitter", EXPIRED, "the token has ended")
    capsys.readouterr()
    line = "twitter:ana_x: the token has ended. Connect it again: nexus connect twitter"
    for _ in range(3):
        scene.later(minutes=15)
        code, summary = sync(scene)
        said = capsys.readouterr()
        assert f"  skipped {line}\n" in said.out
        assert "Nothing is due" not in said.out
        assert (code, summary["stopped"], summary["failures"]) == (ExitCode.PARTLY, 1, [line])
    assert said.err.count("Token expired for user") == 0, "told in the first of these runs"


def test_a_connection_that_a_person_stopped_is_no_failure(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.connect("profile")
    end(scene, "twitter", STOPPED, "on holiday")
    assert sync(scene)[0] is ExitCode.DONE
    assert capsys.readouterr().out == "Nothing is due.\n"


def test_a_run_may_wait_for_its_budget(play: Play) -> None:
    accounts = [AccountSpec("profile", f"x{n}", ("ana",), posts_per_day=1, habits=PLAIN)
                for n in range(4)]  # fmt: skip
    scene = play(specs=accounts, x_requests_per_15_minutes=3)
    scene.connect("profile")
    scene.app.sleep = scene.sleep
    assert sync(scene)[1]["queued"] > 0
    code, summary = sync(scene, longest_wait=timedelta(hours=2))
    assert (code, summary["stopped"]) == (ExitCode.DONE, 0)
    assert 0 < sum(scene.slept) <= 7_200


@pytest.mark.parametrize("command", ["sync", "refresh"])
@pytest.mark.parametrize(
    ("option", "minutes"), [((), 0), (("--wait",), 60), (("--wait", "5"), 5), (("--wait=90",), 90)]
)
def test_the_wait_that_a_person_allows_reaches_the_collector(
    command: str,
    option: tuple[str, ...],
    minutes: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[timedelta] = []

    def remember(_app: App, _summary: object, longest_wait: timedelta) -> ExitCode:
        asked.append(longest_wait)
        return ExitCode.DONE

    def done(_app: App) -> None:
        """Nothing more."""

    monkeypatch.setenv("NEXUS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("NEXUS_VAULT_KEY_FILE", str(tmp_path / "keys" / "vault.json"))
    for name, step in (("sync", remember), ("land", done), ("build_and_publish", done)):
        monkeypatch.setattr(App, name, step)
    assert CliRunner().invoke(main, [command, *option]).exit_code == 0
    assert asked == [timedelta(minutes=minutes)]
