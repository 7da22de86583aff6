"""What commands say: progress on a terminal, plain lines elsewhere, one line for an error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

console = Console(highlight=False)
_errors = Console(stderr=True, highlight=False)

#: Called with (things done, things in all, name of the one that ended).
OnProgress = Callable[[int, int, str], None]
_PLAIN_STEPS = 10


def fail(message: str, code: int) -> NoReturn:
    """End the process with one line on stderr."""
    _errors.print(f"nexus: {message}", style="bold red", markup=False, soft_wrap=True)
    sys.exit(code)


@contextmanager
def progress_bar(title: str) -> Iterator[OnProgress]:
    """A bar on a terminal; elsewhere a line for each tenth of the way."""
    if console.is_terminal:
        columns = (
            TextColumn("{task.description:<12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[now]}"),
        )
        with Progress(*columns, console=console) as progress:
            task = progress.add_task(title, total=None, now="")
            yield lambda done, total, name: progress.update(
                task, completed=done, total=total, now=name
            )
        return
    said = -1

    def say(done: int, total: int, _name: str) -> None:
        nonlocal said
        tenth = done * _PLAIN_STEPS // max(total, 1)
        if tenth > said:
            said = tenth
            console.print(f"{title}: {done} of {total}")

    yield say
