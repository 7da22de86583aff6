"""A killed run takes dbt with it: else the next run would find the warehouse held by nobody."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

RUN = """
import sys
from pathlib import Path
from execution.analytics.aggregations import Dbt

class Sleeping(Dbt):
    def command(self, *arguments):
        return ["sleep", "60"]

Sleeping(Path(sys.argv[1])).build()
"""


def children(process: int) -> list[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in text.split()]


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for it")
def test_dbt_is_gone_as_soon_as_its_run_is_killed(tmp_path: Path) -> None:
    (tmp_path / "dbt" / "target").mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path)]) as run:
        while not (found := children(run.pid)):
            assert run.poll() is None
            time.sleep(0.02)
        (dbt,) = found
        time.sleep(0.1)
        run.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while Path(f"/proc/{dbt}").exists() and "Z" not in Path(f"/proc/{dbt}/stat").read_text():
        assert time.monotonic() < deadline, "dbt goes on without its run"
        time.sleep(0.02)
