"""No query without an account scope, and no row outside of it."""

import inspect
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import duckdb
import pytest
import sqlglot
from published_marts import AccountFact, IncrementFact, Marts, PostFact, age_row, benchmark_row
from sqlglot import exp

import api
from api.publication import PublicationFollower
from api.queries import statements
from api.queries.scope import RELATIONS, AccountScope, NotAMemberError, Query
from api.queries.windows import Span, resolve

MARCH = datetime(2026, 3, 10, 12, tzinfo=UTC)
LATER = MARCH + timedelta(days=4)  # old enough to be compared
MINE, OTHERS = AccountFact("mine", as_of=LATER), AccountFact("others", as_of=LATER)
SCOPE = AccountScope(frozenset({MINE.account_id}))
NOBODY = AccountScope(frozenset())
WINDOW = resolve("30d", ZoneInfo("UTC"), MARCH)


def span(*, by_slot: bool) -> Span:
    start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC)
    return Span(start, end, start.date(), end.date(), by_slot=by_slot)


def every_query(scope: AccountScope) -> dict[str, Query]:
    """Each statement of the API, in each of its forms."""
    days, slots = span(by_slot=False), span(by_slot=True)
    post = PostFact("of mine", MINE, MARCH).post_id
    built: dict[str, Query] = {
        "accounts": statements.accounts(scope),
        "gains": statements.gains(scope, days, [days.start]),
        "gains by slot": statements.gains(scope, slots, [slots.start]),
        "activity": statements.activity(scope, days),
        "published": statements.published(scope, days),
        "newest_post": statements.newest_post(scope, None),
        "values_at_one_age": statements.values_at_one_age(scope, WINDOW, None, [days.start]),
        "values_at_one_age beside": statements.values_at_one_age(scope, WINDOW, days, [days.start]),
        "activity_at_one_age": statements.activity_at_one_age(scope, WINDOW),
        "ever_known": statements.ever_known(scope, "twitter"),
        "post": statements.post(scope, post),
        "timeline": statements.timeline(scope, post),
        "benchmarks": statements.benchmarks(scope, post),
    }
    for sort in statements._SORT_COLUMNS:
        built[f"posts by {sort}"] = statements.posts(
            scope, days, lens="gained", platform=None, sort=sort, order="asc", limit=10
        )
    built["posts published"] = statements.posts(
        scope, slots, lens="published", platform=None, sort="likes", order="desc", limit=10
    )
    return built


QUERIES = sorted(every_query(SCOPE))


def test_each_statement_of_the_api_is_among_those_checked_here() -> None:
    named = {name.split()[0] for name in QUERIES}
    builders = {
        name
        for name, value in inspect.getmembers(statements, inspect.isfunction)
        if value.__module__ == statements.__name__ and not name.startswith("_")
    }
    assert named == builders


def test_each_mart_that_may_be_read_is_read() -> None:
    """The table is what dbt's exposures are held to."""
    read = {
        f"{table.db}.{table.name}"
        for query in every_query(SCOPE).values()
        for table in sqlglot.parse_one(query.sql, dialect="duckdb").find_all(exp.Table)
    }
    assert set(RELATIONS.values()) <= read


def test_a_query_cannot_be_built_without_a_scope() -> None:
    signature = inspect.signature(Query)
    assert signature.parameters["scope"].default is inspect.Parameter.empty
    with pytest.raises(TypeError):
        Query(sql="select 1 from posts")  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        Query(None, "select 1 from posts")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", QUERIES)
def test_a_statement_reads_marts_only_through_the_scope(name: str) -> None:
    query = every_query(SCOPE)[name]
    tree = sqlglot.parse_one(query.sql, dialect="duckdb")
    views = {view.alias for view in tree.find_all(exp.CTE)}
    scoped = 0
    for table in tree.find_all(exp.Table):
        if not table.db:
            assert table.name in views
            continue
        # The one place a file's own table is named: its scoped view.
        scoped += 1
        select = table.find_ancestor(exp.Select)
        assert select is not None
        assert isinstance(select.parent, exp.CTE)
        assert RELATIONS[select.parent.alias] == f"{table.db}.{table.name}"
        assert re.fullmatch(
            r"WHERE account_id IN \(\$account_0\)", select.args["where"].sql("duckdb")
        )
    assert scoped >= 1


@pytest.mark.parametrize("name", QUERIES)
def test_values_are_bound_and_all_of_them_used(name: str) -> None:
    query = every_query(SCOPE)[name]
    assert set(query.parameters) == set(re.findall(r"\$(\w+)", query.sql))
    assert query.parameters["account_0"] == MINE.account_id


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three publications: `mine` alone, `both`, and one with `nothing` in it."""
    mine, *theirs = posts = [
        PostFact("of mine", MINE, MARCH),
        PostFact("of others", OTHERS, MARCH + timedelta(minutes=1)),
        PostFact("of others too", OTHERS, MARCH),
    ]
    names = ("impressions", "likes", "replies", "retweets", "quotes", "bookmarks")
    own = IncrementFact(mine, MARCH, dict.fromkeys(names, 7))
    foreign = [
        IncrementFact(post, MARCH, {**dict.fromkeys(names, 1), "likes": 3}) for post in theirs
    ]
    folder = tmp_path_factory.mktemp("publications")
    compared = [benchmark_row(post, "impressions", Decimal(7), Decimal(4)) for post in posts]
    aged = [age_row(increment.post, 72, increment.new) for increment in (own, *foreign)]
    Marts([MINE], [mine], [own], benchmarks=compared[:1], age_values=aged[:1]).publish(
        folder / "mine"
    )
    Marts([MINE, OTHERS], posts, [own, *foreign], benchmarks=compared, age_values=aged).publish(
        folder / "both"
    )
    Marts([]).publish(folder / "nothing")
    return folder


@pytest.mark.parametrize("name", QUERIES)
def test_a_statement_never_shows_what_belongs_to_others(folder: Path, name: str) -> None:
    def rows(publication: str, scope: AccountScope) -> list[str]:
        follower = PublicationFollower(folder / publication)
        with follower.lease() as (_, cursor):
            found = every_query(scope)[name].run(cursor)
        follower.close()
        return sorted(map(str, found))

    assert rows("both", SCOPE) == rows("mine", SCOPE)
    assert rows("both", AccountScope(frozenset({OTHERS.account_id}))) != rows("mine", SCOPE)
    assert rows("both", NOBODY) == rows("nothing", SCOPE)


@pytest.mark.parametrize(
    "sql",
    [
        "select * from marts.posts",
        'select * from "marts" . posts',
        "select * from content.post_content",
        "select 1",
        "select * from publication",
    ],
)
def test_a_query_that_reaches_round_the_scope_is_refused(sql: str) -> None:
    with pytest.raises(ValueError, match="a query"):
        Query(SCOPE, sql)


def test_a_mart_that_is_not_declared_cannot_be_read(folder: Path) -> None:
    follower = PublicationFollower(folder / "mine")
    query = Query(SCOPE, "select * from posts, account_members")
    with follower.lease() as (_, cursor), pytest.raises(duckdb.CatalogException):
        query.run(cursor)
    follower.close()


def test_a_scope_can_only_become_smaller() -> None:
    assert SCOPE.restrict(None) is SCOPE
    assert SCOPE.restrict([MINE.account_id]).account_ids == {MINE.account_id}
    for wanted in ([OTHERS.account_id], [MINE.account_id, uuid4()]):
        with pytest.raises(NotAMemberError):
            SCOPE.restrict(wanted)


def test_only_the_query_layer_executes_sql_on_a_publication() -> None:
    allowed = {"publication.py", "scope.py"}
    folder = Path(api.__file__).parent
    runs: Callable[[Path], bool] = lambda path: ".execute(" in path.read_text()  # noqa: E731
    sources = [path for path in folder.rglob("*.py") if "node_modules" not in path.parts]
    assert {path.name for path in sources if runs(path)} == allowed
