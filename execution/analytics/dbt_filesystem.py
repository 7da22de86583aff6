"""Lets dbt's connection read an archive that lies elsewhere (profiles.yml, `plugins`)."""

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from execution.analytics.cold_store import open_cold_store
from execution.control.settings import Settings


class Plugin(BasePlugin):
    """Registers the file system that `NEXUS_ARCHIVE_URL` names; a local folder needs none."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        open_cold_store(Settings()).attach(conn)
