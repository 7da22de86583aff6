"""What dbt's connection asks of us (profiles.yml, `plugins`): which warehouse, and its archive."""

import os
import sys
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError
from duckdb import DuckDBPyConnection

from execution.analytics.aggregations import PATH_FOLLOWS
from execution.control.settings import Settings


class Plugin(BasePlugin):
    """Opens what a run copies meanwhile, and reads an archive that lies elsewhere."""

    def update_connection_config(self, creds: DuckDBCredentials, _config: dict[str, Any]) -> None:
        """Wait for the path, once: dbt loads and reads its code while the warehouse is copied.

        In the profile there is but its name: for another path dbt would read all code anew.
        """
        if PATH_FOLLOWS in os.environ and not Path(creds.path).is_absolute():
            creds.path = sys.stdin.readline().strip()
            if not creds.path:
                raise DbtRuntimeError("there is no warehouse: it could not be copied")

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Register the file system that `NEXUS_ARCHIVE_URL` names."""
        settings = Settings()
        if settings.archive_url is not None:  # what else it needs is slow to load
            from execution.analytics.cold_store import open_cold_store  # noqa: PLC0415

            open_cold_store(settings).attach(conn)
