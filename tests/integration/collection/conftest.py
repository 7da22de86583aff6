"""The scene in which collection is tested."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.integration.collection.scene import Play, Scene, playing


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """Makes scenes with settings or accounts of their own."""
    with ExitStack() as stack:

        def make(**settings: Any) -> Scene:
            folder = tmp_path / f"scene-{len(list(tmp_path.iterdir()))}"
            return stack.enter_context(playing(folder, **settings))

        yield make


@pytest.fixture
def scene(play: Play) -> Scene:
    return play()
