"""Files that are whole or not there, whatever happens: written beside, synced, renamed."""

import os
from pathlib import Path


def fsync(path: Path) -> None:
    """Make a file's content, or a folder's names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_durably(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write `path` anew in one step; durable on return."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode)
    draft.write_bytes(content)
    fsync(draft)
    draft.replace(path)
    fsync(path.parent)


def remove_durably(path: Path) -> None:
    """Remove a file, if it is there; gone on return."""
    path.unlink(missing_ok=True)
    fsync(path.parent)
