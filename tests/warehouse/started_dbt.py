"""dbt with its modules loaded, which takes longer than a command: each runs in a fork of it."""

import atexit
import gc
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, NoReturn

#: Without any that starts threads, as duckdb does: a fork has none of them, and cannot end well.
_MODULES = ("dbt.cli.main", "dbt.task.build")


def run_dbt(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> tuple[int, str]:
    """Run a dbt command in `folder`, as the command line would: its exit code and its output."""
    output = folder / "dbt-output.txt"
    asked, answered = _started()
    command = {
        "arguments": list(arguments),
        "folder": str(folder),
        "environment": dict(environment),
        "output": str(output),
    }
    asked.write(f"{json.dumps(command)}\n")
    asked.flush()
    return int(answered.readline()), output.read_text()


@cache
def _started() -> tuple[IO[str], IO[str]]:
    process = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(process.communicate)
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def _serve() -> None:
    """Run the commands that stdin tells, a line of JSON each, and tell their exit codes."""
    for module in _MODULES:
        importlib.import_module(module)
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _run(**json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _run(arguments: list[str], folder: str, environment: dict[str, str], output: str) -> NoReturn:
    from dbt.cli.main import cli

    gc.disable()  # it ends in seconds
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, sys.stdout.fileno())
    os.dup2(descriptor, sys.stderr.fileno())
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.exit(cli(arguments))


if __name__ == "__main__":
    _serve()
