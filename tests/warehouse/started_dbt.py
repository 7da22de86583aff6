"""dbt with its modules loaded, which takes longer than a command: each runs in a fork of it.

As a program with a socket's path this file is that dbt; with a socket's path and arguments it is a
command line that has them run there, with this process' folder, environment, input and output.
"""

import atexit
import gc
import importlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

#: Without any that starts threads, as duckdb does: a fork has none of them, and cannot end well.
_MODULES = ("dbt.cli.main", "dbt.task.build")
#: What a build runs instead of dbt's own command line, as a first argument.
_PROGRAM = "execution.analytics.dbt_program"
#: What dbt read of our code, in the folder of its target and in that of the socket.
_PARSED = "partial_parse.msgpack"
_PROJECT = Path(__file__).resolve().parents[2]


def dbt_command(*arguments: str) -> list[str]:
    """A command line that runs dbt, started once for this process, with these arguments.

    Or the program that builds use, if its name stands before them.
    """
    return [sys.executable, "-E", "-S", __file__, _started(), *arguments]


def run_dbt(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> tuple[int, str]:
    """Run a dbt command in `folder`: its exit code and its output."""
    done = subprocess.run(
        dbt_command(*arguments),
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


#: Goes with the process.
_SCRATCH = TemporaryDirectory(prefix="nexus-dbt-")


@cache
def _started() -> str:
    """The socket at which dbt takes commands; it ends when this process does."""
    path = f"{_SCRATCH.name}/dbt.socket"
    process = subprocess.Popen(
        [sys.executable, __file__, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    atexit.register(process.communicate)
    assert process.stdout is not None
    process.stdout.readline()
    return path


def _serve(path: str) -> None:
    """Run one command after the other, each in a fork, until stdin ends."""
    for module in _MODULES:
        importlib.import_module(module)
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        os.write(sys.stdout.fileno(), b"ready\n")
        while sys.stdin not in select.select([server, sys.stdin], [], [])[0]:
            connection, _ = server.accept()
            with connection:
                child = os.fork()
                if not child:
                    _run(connection)
                _, status = os.waitpid(child, 0)
                connection.sendall(b"%d" % os.waitstatus_to_exitcode(status))


@contextmanager
def _reading_once(target: Path) -> Iterator[None]:
    """Hand what dbt has read of our code on to new target folders; it sees what changed since."""
    known, parsed = Path(sys.argv[1]).with_name(_PARSED), target / _PARSED
    if known.exists() and not parsed.exists():
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(known, parsed)
    try:
        yield
    finally:
        if parsed.exists() and not known.exists():
            shutil.copy(parsed, known)


def _run(connection: socket.socket) -> NoReturn:
    gc.disable()  # it ends in seconds
    _, files, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile() as lines:
        command = json.loads(lines.readline())
    for file, stream in zip(files, (sys.stdin, sys.stdout, sys.stderr), strict=True):
        os.dup2(file, stream.fileno())
    os.chdir(command["folder"])
    os.environ.clear()
    os.environ.update(command["environment"])
    name, *arguments = command["arguments"]
    is_ours = str(_PROJECT) in arguments
    target = Path(command["environment"]["DBT_TARGET_PATH"])
    with _reading_once(target) if is_ours else nullcontext():
        if name == _PROGRAM:
            sys.exit(importlib.import_module(_PROGRAM).main(arguments))
        sys.exit(importlib.import_module(_MODULES[0]).cli([name, *arguments]))


def _ask(path: str, arguments: list[str]) -> int:
    """Have a command run; its exit code."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        files = (sys.stdin.fileno(), sys.stdout.fileno(), sys.stderr.fileno())
        socket.send_fds(connection, [b" "], files)
        command = {
            "folder": str(Path.cwd()),
            "environment": dict(os.environ),
            "arguments": arguments,
        }
        connection.sendall(json.dumps(command).encode() + b"\n")
        return int(connection.recv(100))


if __name__ == "__main__":
    if sys.argv[2:]:
        sys.exit(_ask(sys.argv[1], sys.argv[2:]))
    _serve(sys.argv[1])
