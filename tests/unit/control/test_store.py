"""The control store: its schema is what the models say, and its times keep their zone."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import StatementError

from execution.control import store as store_module
from execution.control.models import Base, User
from execution.control.settings import Settings
from execution.control.store import SCHEMA_REVISION, ControlStore, ControlStoreError, open_store


def test_the_migrations_build_exactly_the_models(store: ControlStore) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, Base.metadata) == []


def test_the_known_revision_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(store_module._MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA_REVISION


def test_a_store_of_a_newer_program_is_refused(settings: Settings, store: ControlStore) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    with pytest.raises(ControlStoreError, match="newer"):
        open_store(settings)


def test_times_come_back_as_aware_utc(store: ControlStore) -> None:
    eight_in_zurich = datetime(2026, 7, 1, 8, tzinfo=timezone(timedelta(hours=2)))
    with store.begin() as session:
        session.add(User(email="a@example.com", created_at=eight_in_zurich))
    with store.begin() as session:
        created = session.query(User).one().created_at
    assert created == eight_in_zurich
    assert created.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(store: ControlStore) -> None:
    with pytest.raises(StatementError, match="naive datetime"), store.begin() as session:
        session.add(User(email="a@example.com", created_at=datetime(2026, 7, 1)))


def test_a_failed_transaction_leaves_nothing(store: ControlStore) -> None:
    def add_and_fail() -> None:
        with store.begin() as session:
            session.add(User(email="a@example.com", created_at=datetime.now(UTC)))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        add_and_fail()
    with store.begin() as session:
        assert session.query(User).count() == 0
