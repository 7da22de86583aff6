"""`python -m ingest.sandbox`: run the stand-in until Ctrl-C."""

import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import click

from ingest.clock import as_utc
from ingest.sandbox.clock import SandboxClock
from ingest.sandbox.scenarios import Scenario, ScenarioError, load_scenario_file
from ingest.sandbox.server import PortInUseError, SandboxServer
from ingest.sandbox.world import WORLDS, named_world


def _moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime:
    """ISO time; a date alone is its midnight, and without a zone it is UTC."""
    if value is None:
        return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not an ISO time") from None
    return as_utc(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


@click.command(context_settings={"show_default": True})
@click.option("--port", default=8099, help="Port on 127.0.0.1; 0 takes a free one.")
@click.option("--seed", default=1, help="Same seed, same accounts, posts and counters.")
@click.option("--start", callback=_moment, help="The clock's time at start (ISO, UTC); today.")
@click.option(
    "--accounts",
    "world",
    default="demo",
    type=click.Choice(sorted(WORLDS)),
    help="demo: 2 users with both platforms; large: 10,000 X posts in 30 days; wide: 500 accounts.",
)
@click.option("--run/--still", default=False, help="Let the clock run with real time.")
@click.option(
    "--scenario",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A yml file of faults and switches.",
)
@click.option("--tethered", is_flag=True, hidden=True, help="End when standard input ends.")
def main(
    *,
    port: int,
    seed: int,
    start: datetime,
    world: str,
    run: bool,
    scenario: Path | None,
    tethered: bool,
) -> None:
    """Stand-in LinkedIn and X server for the demo and the tests."""
    clock = SandboxClock(start)
    if run:
        clock.run(start - datetime.now(UTC))
    try:
        weather = Scenario() if scenario is None else load_scenario_file(scenario)
        server = SandboxServer(named_world(world, start, seed), clock, port)
    except (PortInUseError, ScenarioError) as problem:
        raise click.ClickException(str(problem)) from problem
    weather.apply(server.sandbox)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with server:
        click.echo(f"stand-in for X and LinkedIn at {server.url}")
        try:
            if tethered:
                sys.stdin.read()
            else:
                threading.Event().wait()
        except KeyboardInterrupt:
            click.echo("stopped")


if __name__ == "__main__":
    main()
