"""Lets dbt's connection read an archive that lies elsewhere (profiles.yml, `plugins`)."""

from functools import cache

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from execution.control.settings import Settings


@cache
def settings() -> Settings:
    """Those of the folder at hand when first asked: dbt may work in another one."""
    return Settings()


class Plugin(BasePlugin):
    """Registers the file system that `NEXUS_ARCHIVE_URL` names."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        if settings().archive_url is not None:  # what else it needs is slow to load
            from execution.analytics.cold_store import open_cold_store  # noqa: PLC0415

            open_cold_store(settings()).attach(conn)
