"""What a person should know is told once while it lasts, and settled when it ends."""

import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from consents import Connect
from sqlalchemy import select, update

from execution.control.connections import EXPIRED, set_state
from execution.control.models import Connection, Notification
from execution.control.notifications import Kind, deliver, notify, settle, watch
from execution.control.store import ControlStore
from ingest.clock import ManualClock

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def open_keys(store: ControlStore) -> list[str]:
    with store.begin() as session:
        query = select(Notification.key).where(Notification.closed_at.is_(None))
        return sorted(session.scalars(query))


def messages(store: ControlStore) -> list[str]:
    with store.begin() as session:
        return list(session.scalars(select(Notification.message)))


def look(store: ControlStore, clock: ManualClock) -> None:
    with store.begin() as session:
        watch(session, clock.now())


def collected(store: ControlStore, connection: Connection, clock: ManualClock) -> None:
    with store.begin() as session:
        session.execute(
            update(Connection)
            .where(Connection.id == connection.id)
            .values(last_success_at=clock.now())
        )


def test_the_same_news_is_told_once_until_it_is_settled(
    store: ControlStore, connect_account: Connect, clock: ManualClock
) -> None:
    ana = connect_account()
    for _ in range(3):
        with store.begin() as session:
            notify(session, Kind.RATE_LIMITED, ana.id, "throttled", clock.now())
    assert open_keys(store) == [f"rate_limited:{ana.id}"]
    with store.begin() as session:
        settle(session, [(Kind.RATE_LIMITED, ana.id), (Kind.USAGE_CAPPED, ana.id)], clock.now())
    assert open_keys(store) == []
    with store.begin() as session:
        notify(session, Kind.RATE_LIMITED, ana.id, "throttled again", clock.now())
    assert messages(store) == ["throttled", "throttled again"]


def test_settling_one_subject_leaves_the_others(
    store: ControlStore, connect_account: Connect, clock: ManualClock
) -> None:
    ana, ben = connect_account(), connect_account(handle="ben", email="ben@example.com")
    with store.begin() as session:
        for connection in (ana, ben):
            notify(session, Kind.RATE_LIMITED, connection.id, "throttled", clock.now())
        settle(session, [(Kind.RATE_LIMITED, ana.id)], clock.now())
    assert open_keys(store) == [f"rate_limited:{ben.id}"]


@pytest.mark.parametrize("is_refreshable", [True, False])
def test_the_end_of_linkedins_consent_is_told_14_and_3_days_before(
    store: ControlStore, connect_account: Connect, clock: ManualClock, is_refreshable: bool
) -> None:
    ends = clock.now() + 60 * DAY
    given: dict[str, Any] = {"expires_at": ends}
    if is_refreshable:
        given = {"expires_at": clock.now() + DAY, "refresh_expires_at": ends}
    page = connect_account("linkedin", "northwind", **given)
    seen = {}
    for days in (60, 15, 14, 13, 4, 3, 2):
        clock.set(ends - days * DAY)
        collected(store, page, clock)
        look(store, clock)
        seen[days] = open_keys(store)
    first, second = f"consent_ending:{page.id}:14", f"consent_ending:{page.id}:3"
    assert seen == {60: [], 15: [], 14: [first], 13: [first], 4: [first], 3: [second], 2: [second]}
    assert len(messages(store)) == 2
    assert messages(store)[0].startswith("linkedin:northwind: LinkedIn's consent ends on 30 April")
    connect_account("linkedin", "northwind", expires_at=ends + 60 * DAY)
    assert open_keys(store) == [], "a new consent settles it"


def test_an_x_token_that_ends_soon_is_no_news(
    store: ControlStore, connect_account: Connect, clock: ManualClock
) -> None:
    connect_account(expires_at=clock.now() + 2 * HOUR)
    look(store, clock)
    assert open_keys(store) == []


def test_nothing_collected_for_twice_the_interval_is_told_until_something_is(
    store: ControlStore, connect_account: Connect, clock: ManualClock
) -> None:
    ana = connect_account()
    clock.set(clock.now() + 12 * HOUR)
    look(store, clock)
    assert open_keys(store) == []
    clock.set(clock.now() + HOUR)
    look(store, clock)
    look(store, clock)
    assert open_keys(store) == [f"nothing_collected:{ana.account_id}"]
    assert messages(store) == ["twitter:ana: nothing was collected since 01 Mar 09:10 UTC"]
    collected(store, ana, clock)
    look(store, clock)
    assert open_keys(store) == []


def test_an_account_collected_through_either_of_two_connections_is_collected(
    store: ControlStore, connect_account: Connect, clock: ManualClock
) -> None:
    connect_account()
    second = connect_account(email="ben@example.com")
    clock.set(clock.now() + 13 * HOUR)
    collected(store, second, clock)
    look(store, clock)
    assert open_keys(store) == []


def test_an_ended_consent_is_not_told_a_second_time_as_nothing_collected(
    store: ControlStore, connect_account: Connect, clock: ManualClock
) -> None:
    ana = connect_account()
    with store.begin() as session:
        set_state(session, ana.id, EXPIRED, "over")
    clock.set(clock.now() + 5 * DAY)
    look(store, clock)
    assert open_keys(store) == []


# --- the webhook


class Hook(HTTPServer):
    """Takes notifications; fails where told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[Any] = []
        self.status = 204

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?key=hidden"


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append(json.loads(body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_webhook_gets_each_notification_once_also_after_a_failure(
    store: ControlStore, connect_account: Connect, clock: ManualClock, hook: Hook
) -> None:
    ana = connect_account()
    with store.begin() as session:
        notify(session, Kind.USAGE_CAPPED, ana.id, "no credits", clock.now(), user_id=ana.user_id)
    hook.status = 500
    deliver(store, hook.url, clock)
    hook.status = 204
    deliver(store, hook.url, clock)
    deliver(store, hook.url, clock)
    assert [got["message"] for got in hook.got] == ["no credits", "no credits"]
    assert set(hook.got[0]) == {"id", "kind", "message", "created_at"}, "no user is named"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "not an address", "http://[::1"])
def test_a_webhook_that_cannot_be_reached_stops_nothing(
    store: ControlStore, connect_account: Connect, clock: ManualClock, url: str
) -> None:
    with store.begin() as session:
        notify(session, Kind.RATE_LIMITED, connect_account().id, "throttled", clock.now())
    deliver(store, url, clock)
    deliver(store, None, clock)
