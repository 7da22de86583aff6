"""Formulas in SQL give what the same formulas give in Python, on whatever hypothesis thinks of."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.queries.comparisons import Footing, Slots, compare_counts
from execution.analytics.aggregations import calculate_engagement_score
from ingest import slots

from . import reference
from .macros import Macros
from .raw_warehouse import RawWarehouse, at

#: Moldova's clocks change at another hour in DuckDB's zone rules than in Python's, from 2022 on.
MOLDOVA = {"Europe/Chisinau", "Europe/Tiraspol"}
ZONES = sorted(available_timezones() - {"localtime", "Factory"} - MOLDOVA)
COUNTERS = reference.COUNTERS
WEIGHED = [name for name in COUNTERS if name != "impressions"]

instants = st.datetimes(
    datetime(2006, 3, 21),
    datetime(2037, 12, 31),
    timezones=st.just(UTC),
)
ages = st.timedeltas(timedelta(0), timedelta(days=40))
counts = st.none() | st.integers(-(2**31), 2**31 - 1) | st.integers(-5, 50)


@pytest.fixture(scope="module")
def macros(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Macros]:
    warehouse = RawWarehouse(tmp_path_factory.mktemp("macros") / "warehouse.duckdb")
    compiled = Macros.compile(
        warehouse,
        {
            "slot_start": "{{ slot_start('moment', 'published_at') }}",
            "slot_index": "{{ slot_index('slot', 'published_at') }}",
            "last_young_slot": "{{ last_young_slot('published_at') }}",
            "first_old_slot": "{{ first_old_slot('published_at') }}",
            "floor_to": "{{ floor_to('moment', 15) }}",
            "rate": "{{ rate('numerator', 'denominator') }}",
            "score": "{{ engagement_score('metrics', 'weights') }}",
            "mean_rate": "{{ mean_rate('total', 'number') }}",
            "instant": "{{ instant_of_wall_clock('wall', 'zone') }}",
            "wall_clock": "{{ wall_clock('moment', 'zone') }}",
            "change_state": (
                "{{ change_state('current', 'previous',"
                " [('filled', 'due'), ('filled_before', 'due_before')]) }}"
            ),
        },
    )
    yield compiled
    compiled.connection.close()


@given(published_at=instants, age=ages)
def test_slots_are_those_of_the_planner(
    macros: Macros, published_at: datetime, age: timedelta
) -> None:
    moment = published_at + age
    slot = slots.slot_start(moment, published_at)
    times = {"moment": "timestamptz", "slot": "timestamptz", "published_at": "timestamptz"}
    row = {"moment": moment, "slot": slot, "published_at": published_at}
    assert macros.evaluate("slot_start", times, row) == slot
    assert macros.evaluate("slot_index", times, row) == slots.slot_index(slot, published_at)


@given(published_at=instants)
def test_the_change_to_six_hours_is_where_the_planner_has_it(
    macros: Macros, published_at: datetime
) -> None:
    slot = slots.slot_start(published_at, published_at)
    while slot < published_at + slots.YOUNG_AGE:
        last_young, slot = slot, reference.next_slot(slot, published_at)
    times, row = {"published_at": "timestamptz"}, {"published_at": published_at}
    assert macros.evaluate("last_young_slot", times, row) == last_young
    assert macros.evaluate("first_old_slot", times, row) == slot


@given(moment=instants)
def test_quarter_hours_are_cut_without_rounding(macros: Macros, moment: datetime) -> None:
    found = macros.evaluate("floor_to", {"moment": "timestamptz"}, {"moment": moment})
    assert found == reference.quarter_hour(moment)


@given(numerator=counts, denominator=counts)
@example(numerator=1, denominator=20_000)
@example(numerator=-1, denominator=20_000)
@example(numerator=2**31 - 1, denominator=1)
def test_rates_are_those_of_exact_decimals(
    macros: Macros, numerator: int | None, denominator: int | None
) -> None:
    types = {"numerator": "bigint", "denominator": "integer"}
    row = {"numerator": numerator, "denominator": denominator}
    assert macros.evaluate("rate", types, row) == reference.rate(numerator, denominator)


@given(rates=st.lists(st.integers(-99_999, 99_999), min_size=1, max_size=50))
def test_a_mean_of_rates_is_exact(macros: Macros, rates: list[int]) -> None:
    types = {"total": "bigint", "number": "bigint"}
    found = macros.evaluate("mean_rate", types, {"total": sum(rates), "number": len(rates)})
    assert found == reference.rate(sum(rates), len(rates) * 10_000)


@settings(max_examples=300)
@given(
    counters=st.fixed_dictionaries(dict.fromkeys(COUNTERS, counts)),
    platform=st.sampled_from(["linkedin", "twitter"]),
)
def test_scores_are_those_of_exact_decimals_and_of_the_python_function(
    macros: Macros, counters: dict[str, int | None], platform: str
) -> None:
    weights = reference.WEIGHTS[platform]
    found = macros.evaluate(
        "score",
        {f"metrics.{name}": "integer" for name in COUNTERS}
        | {f"weights.weight_{name}": "bigint" for name in WEIGHED},
        {f"metrics.{name}": value for name, value in counters.items()}
        | {f"weights.weight_{name}": 100 * weights.get(name, 0) for name in WEIGHED},
    )
    assert found == reference.score(counters, platform)
    python = calculate_engagement_score(counters, platform)
    assert (None if python is None else Decimal(str(python))) == found


@settings(max_examples=500)
@given(
    day=st.dates(at("2015-01-01").date(), at("2030-12-31").date()),
    minutes=st.integers(0, 95).map(lambda quarter: quarter * 15),
    zone=st.sampled_from(ZONES),
)
@example(day=at("2026-03-29").date(), minutes=150, zone="Europe/Paris")
@example(day=at("2026-10-25").date(), minutes=150, zone="Europe/Paris")
@example(day=at("2026-11-01").date(), minutes=0, zone="America/Havana")
@example(day=at("2026-04-05").date(), minutes=105, zone="Australia/Lord_Howe")
def test_wall_clocks_are_read_as_python_reads_them(
    macros: Macros, day: datetime, minutes: int, zone: str
) -> None:
    wall = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minutes)
    wanted = wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    found = macros.evaluate(
        "instant", {"wall": "timestamp", "zone": "varchar"}, {"wall": wall, "zone": zone}
    )
    assert found == wanted
    clock = macros.evaluate(
        "wall_clock", {"moment": "timestamptz", "zone": "varchar"}, {"moment": wanted, "zone": zone}
    )
    assert clock == wanted.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@given(
    current=counts,
    previous=counts,
    shares=st.lists(
        st.integers(0, 40).flatmap(lambda due: st.tuples(st.integers(0, due), st.just(due))),
        min_size=2,
        max_size=2,
    ),
)
@example(current=0, previous=0, shares=[(1, 1), (1, 1)])
@example(current=5, previous=0, shares=[(9, 10), (9, 10)])
@example(current=5, previous=4, shares=[(89, 99), (1, 1)])
@example(current=5, previous=4, shares=[(1, 1), (0, 0)])
def test_changes_have_the_states_of_metrics_section_5(
    macros: Macros, current: int | None, previous: int | None, shares: list[tuple[int, int]]
) -> None:
    (filled, due), (filled_before, due_before) = shares
    row = {
        "current": current,
        "previous": previous,
        "filled": filled,
        "due": due,
        "filled_before": filled_before,
        "due_before": due_before,
    }
    found = macros.evaluate("change_state", dict.fromkeys(row, "bigint"), row)
    coverages = [{"filled_slots": filled, "due_slots": due} for filled, due in shares]
    assert found == reference.change_state(current, previous, coverages)
    now, before = (Slots(due=due, filled=filled) for filled, due in shares)
    footing = Footing(True, now, before, previous_engagements=None, connected_before=True)
    assert found == compare_counts(current, previous, footing).state, "the API says the same"
