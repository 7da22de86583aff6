"""Lands the spool with the control slice, and keeps rejected rows aside."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from execution.control.settings import Settings
from execution.control.slice import control_slice
from execution.control.store import ControlStore
from execution.control.vault import Vault
from ingest.clock import Clock
from ingest.files import EXPORT_ROWS
from ingest.load import LandingReport, land
from ingest.platforms import PLATFORMS


def land_spool(
    settings: Settings, store: ControlStore, vault: Vault, clock: Clock
) -> LandingReport:
    """Land everything spooled, and the present slice of the control store.

    Raises LandingError if the warehouse cannot be written; the spool is then untouched.
    """
    platforms = PLATFORMS.values()
    rows = [row for p in platforms for row in (p.post_row, p.snapshot_row, p.account_row)]
    with store.begin() as session:
        control = control_slice(session, vault)
    return land(settings.data_dir, [*rows, *EXPORT_ROWS], clock=clock, control=control)


def keep_aside(data_dir: Path, rejected: Sequence[Mapping[str, Any]]) -> None:
    """Append rejected rows, with their reasons, to `rejects/rejects.jsonl`; durable on return."""
    if not rejected:
        return
    folder = data_dir / "rejects"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "rejects.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rejected)
        file.flush()
        os.fsync(file.fileno())
