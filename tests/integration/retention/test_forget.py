"""What was erased is nowhere any more, what others own stays, and what was begun is finished."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import fsspec
import pytest
from sqlalchemy import select

from execution.analytics import publish
from execution.analytics.aggregations import BuildError, BuildResult
from execution.analytics.cold_store import ColdStore
from execution.analytics.erasure import control, files, subject, warehouse
from execution.analytics.erasure.subject import Erasure, Kind, NothingToForgetError, Terms
from execution.analytics.forget import Forgetting, NotForgottenError
from execution.app import App
from execution.control.models import (
    AccountMember,
    AuditEntry,
    Base,
    ErasedPost,
    Import,
    TrackedPost,
)
from execution.control.settings import INTENT
from ingest import identity
from ingest.files import read_export
from tests.integration.retention.household import ACCOUNTS, ANA, BEN, NOW, Household, household
from tests.integration.retention.lived_in import (
    FILE_HANDLE,
    FILE_POSTS,
    consents,
    file_account,
    imports,
    live_in,
)
from tests.integration.retention.traces import traces
from tests.soak.scale import SCALE


@pytest.fixture(scope="session")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    folder = tmp_path_factory.mktemp("lived_in")
    with household(folder) as made:
        made.move_in()
        live_in(made, folder)
        yield made


@pytest.fixture
def home(lived_in: Household, tmp_path: Path) -> Iterator[Household]:
    copied = lived_in.twin(tmp_path)
    yield copied
    copied.app.store.close()


@pytest.fixture
def without_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of something else: what a build does to marts is proven where it runs."""
    monkeypatch.setattr(App, "build", lambda *_: BuildResult(1, 1, 0))


def forget(home: Household, kind: Kind, given: str) -> dict[str, int]:
    erasure = home.app.forgetting.find(kind, given)
    home.app.forgetting.begin(erasure)
    return home.app.forgetting.finish(erasure)


def things_of(home: Household, handle: str) -> list[UUID | str]:
    """Every id and word of an account."""
    account, posts = home.accounts[handle], home.posts[handle]
    snapshots = [row.snapshot_id for row in home.snapshot_rows(handle)]  # type: ignore[attr-defined]
    return [
        account,
        *(home.post_id(handle, number) for number in range(len(posts))),
        *snapshots,
        *(post.platform_post_id for post in posts),
        f"Words of {handle}",
        f"example.org/{handle}",
        handle,
        *consents(home, handle),
    ]


def marts(home: Household, account: UUID) -> dict[str, list[Any]]:
    """What is published of an account; `created_at` and the like included."""
    tables = (
        *("analytics_snapshots", "posts", "post_increments", "post_scores", "post_age_values"),
        *("quarter_hour_metrics", "daily_metrics", "window_metrics", "audience_growth"),
    )
    return {
        table: home.rows(
            f"from {table} where account_id = ? order by all",
            str(account),
            file="published/current.duckdb",
        )
        for table in tables
    }


@pytest.mark.long
def test_an_erased_account_is_nowhere_and_the_others_are_as_they_were(home: Household) -> None:
    things = things_of(home, "ana_x")
    assert len(traces(home.data_dir, things)) > 200, "the search finds what is there"
    kept = {handle: marts(home, home.accounts[handle]) for handle in ("team_x", "ben_x")}
    assert all(tables["window_metrics"] for tables in kept.values())

    gone = forget(home, "account", "twitter:ana_x")

    assert traces(home.data_dir, things) == []
    for handle, before in kept.items():
        after = marts(home, home.accounts[handle])
        # the spool held two readings more of each
        assert len(after.pop("post_increments")) == len(before.pop("post_increments")) + 2
        assert after["audience_growth"] == before["audience_growth"]
        assert len(after["posts"]) == len(before["posts"])
    assert list(home.data_dir.glob(f"*{INTENT}*")) == []
    for place in (
        *("archive/twitter_snapshots", "control tracked_posts", "control flag_reviews", "spool"),
        *("rejects", "logs", "dbt (files)", "published (files)", "warehouse raw.twitter_posts"),
        *("control runs (hidden)", "control api_usage", "control notifications"),
    ):
        assert gone[place] > 0, place


@pytest.mark.parametrize("kind", ["url", "folder"] if SCALE >= 1 else ["url"])
@pytest.mark.usefixtures("without_builds")
def test_an_archive_outside_the_data_folder_is_erased_too(
    kind: str, home: Household, tmp_path: Path
) -> None:
    things = things_of(home, "ana_x")
    url = {"url": "memory://erased", "folder": str(tmp_path / "elsewhere")}[kind]
    files, root = fsspec.core.url_to_fs(url)
    files.put(f"{home.data_dir}/archive/", f"{root}/", recursive=True)
    shutil.rmtree(home.data_dir / "archive")
    home.app.settings = home.app.settings.model_copy(update={"archive_url": url})

    def archived(wanted: list[UUID | str]) -> set[str]:
        """Where the archive holds any of them."""
        fetched = tmp_path / uuid4().hex
        files.get(f"{root}/", f"{fetched}/", recursive=True)
        return {trace.partition("/")[0] for trace in traces(fetched, wanted)}

    assert archived(things) == {"twitter_snapshots"}
    others = [home.accounts["ben_x"], home.accounts["ana-page"]]
    assert archived(others) == {"twitter_snapshots", "linkedin_snapshots"}

    forget(home, "account", "twitter:ana_x")

    assert archived(things) == set()
    assert archived(others) == {"twitter_snapshots", "linkedin_snapshots"}
    assert traces(home.data_dir, things) == []


@pytest.mark.usefixtures("without_builds")
def test_an_erased_account_comes_back_only_when_its_user_wants_it(home: Household) -> None:
    forget(home, "account", str(home.accounts["ana_x"]))
    with home.app.store.begin() as session:
        tracked = select(TrackedPost).where(TrackedPost.account_id == home.accounts["ana_x"])
        assert list(session.scalars(tracked)) == []
    assert consents(home, "ana_x") == []


@pytest.mark.long
def test_an_erased_user_takes_what_nobody_else_reads(home: Household) -> None:
    ana = home.user(ANA).id
    things = [
        *things_of(home, "ana_x"),
        *things_of(home, "ana-page"),
        *consents(home, "team_x", email=ANA),
        *(item.id for item in imports(home, ANA)),
        file_account(home, ANA),
        ana,
        home.app.vault.user_key(ana),
        ANA,
        "Hers alone",
    ]
    shared = set(traces(home.data_dir, [home.accounts["team_x"]]))
    bens = imports(home, BEN)

    forget(home, "user", ANA)

    assert traces(home.data_dir, things) == []
    assert set(traces(home.data_dir, [home.accounts["team_x"]])) >= {
        f"published/nexus-{n}.duckdb main.accounts: {home.accounts['team_x']}" for n in (3,)
    }
    assert shared
    with home.app.store.begin() as session:
        members = session.scalars(
            select(AccountMember).where(AccountMember.account_id == home.accounts["team_x"])
        )
        assert [(member.user_id, member.role) for member in members] == [
            (home.user(BEN).id, "owner")
        ], "who stays owns it now"
    inbox = {path.stem for path in (home.data_dir / "inbox").iterdir()}
    assert inbox == {item.file_sha256 for item in bens}, "Ben imported one of the files, too"
    assert traces(home.data_dir, [file_account(home, BEN)]) != []


@pytest.mark.long
def test_an_erased_post_is_nowhere_and_its_accounts_totals_follow(home: Household) -> None:
    post, handle = home.posts["team_x"][2], "team_x"
    things = [home.post_id(handle, 2), post.platform_post_id, post.text or "", post.url or ""]
    before = marts(home, home.accounts[handle])["posts"]

    forget(home, "post", post.platform_post_id)

    assert traces(home.data_dir, things) == []
    assert len(marts(home, home.accounts[handle])["posts"]) == len(before) - 1
    total = "select sum(new_impressions) from {} where account_id = ?"
    file, account = "published/current.duckdb", str(home.accounts[handle])
    increments = home.rows(total.format("post_increments"), account, file=file)
    assert home.rows(total.format("quarter_hour_metrics"), account, file=file) == increments
    assert home.rows(total.format("daily_metrics"), account, file=file) == increments


@pytest.mark.usefixtures("without_builds")
def test_an_erased_post_goes_from_an_imported_file_and_the_other_rows_stay(
    home: Household,
) -> None:
    gone, *stay = FILE_POSTS
    mine = identity.post_id(file_account(home, ANA), gone)
    bens = identity.post_id(file_account(home, BEN), gone)
    inbox = home.data_dir / "inbox"
    before = {
        path.name: read_export(path, imported_at=NOW, handle=FILE_HANDLE)
        for path in inbox.iterdir()
    }

    forget(home, "post", str(mine))

    assert traces(home.data_dir, [mine]) == []
    assert traces(home.data_dir, [bens]) != [], "Ben's post of the same file is his"
    for path in inbox.iterdir():
        rows = read_export(path, imported_at=NOW, handle=FILE_HANDLE).posts
        old = [post for post in before[path.name].posts if post.platform_post_id in {*stay}]
        assert [post for post in rows if post.platform_post_id in {*stay}] == old
        shared = len(before[path.name].posts) == len(FILE_POSTS)
        assert (gone in {post.platform_post_id for post in rows}) == shared


@pytest.mark.usefixtures("without_builds")
def test_the_audit_says_that_something_was_erased_but_not_what(home: Household) -> None:
    forget(home, "user", ANA)
    with home.app.store.begin() as session:
        entries = list(session.scalars(select(AuditEntry).order_by(AuditEntry.id)))
    last = entries[-1]
    assert (last.actor, last.action) == ("operator", "erased")
    assert last.detail == {"kind": "user", "users": 1, "accounts": 3, "posts": 20}
    assert [entry.actor for entry in entries[:-1]] == ["[erased]", BEN]
    assert entries[0].detail == {"for": "[erased]"}


@pytest.mark.usefixtures("without_builds")
def test_a_second_erasure_finds_nothing(home: Household) -> None:
    forget(home, "account", "twitter:ana_x")
    for kind, given in (("account", "twitter:ana_x"), ("post", str(home.post_id("ana_x")))):
        with pytest.raises(NothingToForgetError, match=f"there is no {kind}"):
            home.app.forgetting.find(kind, given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("user", "nobody@example.com", "there is no user nobody@example.com"),
        ("account", "twitter:nobody", "there is no account twitter:nobody"),
        ("post", "123", "there is no post 123"),
        ("post", str(UUID(int=5)), f"there is no post {UUID(int=5)}"),
        ("account", f"twitter:{FILE_HANDLE}", "is several accounts, say which: "),
        ("post", FILE_POSTS[0], "is several posts, say which: "),
    ],
)
def test_what_is_unknown_or_unclear_is_said(
    home: Household, kind: Kind, given: str, said: str
) -> None:
    with pytest.raises(NothingToForgetError, match=said):
        home.app.forgetting.find(kind, given)


def test_every_table_of_the_control_store_is_thought_of() -> None:
    marked = {column.class_.__tablename__ for column, _ in control._MARKS}
    hidden = {column.class_.__tablename__ for column in control._TEXTS}
    assert marked | hidden | {"budgets"} == set(Base.metadata.tables)


# --- words in free text -------------------------------------------------------------------------


def test_an_id_is_found_as_a_word_and_never_inside_another() -> None:
    terms = Terms(["7123456", "urn:li:share:99887766", str(UUID(int=7)), "ana-page", "Ana Bell"])
    for text in (
        "post 7123456: brought nothing",
        "urn%3Ali%3Ashare%3A99887766".replace("%3A", ":"),
        "activity 99887766",
        f"({UUID(int=7)})",
        UUID(int=7).hex,
        "linkedin:Ana-Page: capped",
        "by ana bell.",
    ):
        assert terms.found_in(text), text
        assert not terms.found_in(terms.hide(text)), text
    for text in ("71234567", "x7123456", "ana-pages", "Banana Bell", ""):
        assert not terms.found_in(text), text
        assert terms.hide(text) == text


# --- kills --------------------------------------------------------------------------------------


class Killed(BaseException):
    """Ends a run like kill -9: nobody catches it, nothing is tidied."""


def after(owner: object, name: str, calls: int = 1) -> Callable[[pytest.MonkeyPatch], None]:
    def arm(monkeypatch: pytest.MonkeyPatch) -> None:
        original = getattr(owner, name)
        seen = 0

        def last_act(*args: Any, **kwargs: Any) -> Any:
            nonlocal seen
            result = original(*args, **kwargs)
            seen += 1
            if seen == calls:
                raise Killed
            return result

        monkeypatch.setattr(owner, name, last_act)

    return arm


STEPS = {
    "the intent is written": after(subject, "begin"),
    "a spool file is written anew": after(files, "remove_durably"),
    "the spool is clean": after(files, "erase_spooled"),
    "the control store is clean, but not committed": after(control, "_hide", 7),
    "the control store is clean": after(control, "erase_known"),
    "the inbox is clean": after(files, "erase_inbox"),
    "the rejects are clean": after(files, "erase_rejects"),
    "the logs are clean": after(files, "erase_traces"),
    "the rest of the spool is landed": after(App, "land"),
    "a month is written anew": after(ColdStore, "write"),
    "the archive's manifest is written": after(ColdStore, "commit"),
    "the archive is clean": after(warehouse, "erase_cold"),
    "raw is clean": after(warehouse, "erase_landed"),
    "what was built is clean": after(warehouse, "erase_built"),
    "it is published": after(App, "publish"),
    "older generations are gone": after(publish, "drop_generations"),
    "the warehouse is written anew": after(warehouse, "rewrite"),
    "the store is compact": after(control, "compact"),
}


@pytest.mark.parametrize("step", list(STEPS) if SCALE >= 1 else list(STEPS)[1::6])
@pytest.mark.usefixtures("without_builds")
def test_an_erasure_that_was_killed_is_finished_by_the_next_run(
    step: str, home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Forgetting, "begin", _begin_through_module)
    things = things_of(home, "ana_x")
    with monkeypatch.context() as patched:
        STEPS[step](patched)
        with pytest.raises(Killed):
            forget(home, "account", "twitter:ana_x")
    with home.app.run("sync"):
        pass
    assert traces(home.data_dir, things) == []
    assert (home.data_dir / INTENT).exists() is False
    assert home.count("raw.twitter_snapshots where account_id = ?", str(home.accounts["ben_x"]))


def _begin_through_module(self: Forgetting, erasure: Erasure) -> None:
    subject.begin(self._settings, erasure)


def test_an_erasure_that_cannot_finish_waits_and_lets_others_run(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise BuildError("a test failed")

    with monkeypatch.context() as patched:
        patched.setattr(App, "build", failing)
        with pytest.raises(NotForgottenError, match="the next run goes on with it: a test failed"):
            forget(home, "account", "twitter:ana_x")
        with home.app.run("sync"):
            ran = True
    assert ran
    assert (home.data_dir / INTENT).exists()


def test_all_accounts_are_played(lived_in: Household) -> None:
    assert set(lived_in.accounts) == set(ACCOUNTS)
    with lived_in.app.store.begin() as session:
        assert len(list(session.scalars(select(Import)))) == 3
        assert list(session.scalars(select(ErasedPost))) == []
