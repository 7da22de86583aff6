"""What commands say: progress on a terminal, plain lines elsewhere, one line for an error."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NoReturn

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

#: A file or a pipe has no width: tables there are not cut.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 180)
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


def print_table(headings: Sequence[str], rows: Sequence[Sequence[Any]], nothing: str) -> None:
    """A table; times in UTC to the minute, "–" for what is unknown; `nothing` if it is empty."""
    if not rows:
        console.print(nothing, markup=False)
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(escape(_said(value)) for value in row))
    console.print(table)


def _said(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%MZ}"
    return f"{value:,}" if isinstance(value, int) else str(value)
