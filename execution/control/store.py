"""Opens the control store: SQLite (WAL) in the data folder, or PostgreSQL by URL."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from execution.control.models import Base
from execution.control.settings import Settings
from ingest.errors import NexusError

_MIGRATIONS = Path(__file__).parent / "migrations"
#: The newest migration; a test holds that it is Alembic's head. Kept here so that opening an
#: up-to-date store does not pay for importing Alembic.
SCHEMA_REVISION = "0002"


class ControlStoreError(NexusError):
    """The control store cannot be used; the message says why and what to do."""


class ControlStore:
    """Sessions on the control store. `begin()` commits at the end or rolls all back."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def begin(self) -> Iterator[Session]:
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        self.engine.dispose()


def open_store(settings: Settings) -> ControlStore:
    """The control store, created or migrated to the newest schema where needed.

    Raises ControlStoreError if its schema is newer than this program.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = create_engine(settings.control_url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
    store = ControlStore(engine)
    try:
        if _revision(engine) != SCHEMA_REVISION:
            _migrate(engine)
    except BaseException:
        store.close()
        raise
    return store


def upsert(
    session: Session,
    model: type[Base],
    rows: Sequence[Mapping[str, object]],
    added: Collection[str] = (),
) -> None:
    """Insert rows or update those with the same primary key; columns of `added` are summed."""
    if not rows:
        return
    dialect = session.get_bind().dialect.name
    insert: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[dialect]
    statement = insert(model)
    key = [column.name for column in inspect(model).primary_key]
    present = {name: getattr(model, name) for name in rows[0]}
    new = statement.excluded
    session.execute(
        statement.on_conflict_do_update(
            index_elements=key,
            set_={
                name: column + new[name] if name in added else new[name]
                for name, column in present.items()
                if name not in key
            },
        ),
        list(rows),
    )


def _tune_sqlite(connection: Any, _record: Any) -> None:
    # FULL: a commit that was reported is on disk; slots and rotated tokens depend on it.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(select(text("version_num from alembic_version"))).scalar()


def _migrate(engine: Engine) -> None:
    from alembic import command  # noqa: PLC0415  (slow import, needed only when the schema moves)
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise ControlStoreError(
                f"the control store was written by a newer Nexus Analytics ({error}): upgrade it"
            ) from error
