"""The README cannot drift: every target and setting is in it, and nothing else is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from execution.cli import main
from execution.control.settings import Settings

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text()


def test_every_make_target_is_documented_and_every_documented_one_exists() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    documented = set(re.findall(r"^\| `make ([a-z-]+)", README, re.MULTILINE))
    assert documented == targets


def test_every_setting_is_documented_with_its_description() -> None:
    documented = dict(re.findall(r"^\| `NEXUS_([A-Z0-9_]+)` \|.*\| (.*) \|$", README, re.MULTILINE))
    settings = {n.upper(): f.description for n, f in Settings.model_fields.items()}
    assert documented == settings


@pytest.mark.parametrize("target", ["help", "-n demo", "-n test"])
def test_make_understands_its_targets(target: str) -> None:
    done = subprocess.run(["make", *target.split()], cwd=PROJECT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("preview", "say which: make preview MODEL=post_scores"),
        ("import", 'say which: make import FILE="path/to/export.csv"'),
        ("lint MODEL=nope", "no model is called nope"),
    ],
)
def test_make_says_what_it_lacks(command: str, said: str) -> None:
    """Without installing anything first: `-o` takes that as done."""
    done = subprocess.run(
        ["make", "-o", "install", "-o", ".venv/.installed-dev", *command.split()],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.splitlines()[0] == f"nexus: {said}"
    assert done.returncode == 2


def test_commands_named_in_the_readme_exist() -> None:
    named = set(re.findall(r"nexus ([a-z][a-z-]*)", README))
    assert named <= set(main.commands), named - set(main.commands)


@pytest.mark.parametrize("script", ["sync_metrics", "aggregations"])
def test_the_directives_scripts_work_on_their_own(script: str) -> None:
    path = PROJECT / "execution" / "analytics" / f"{script}.py"
    done = subprocess.run(
        [sys.executable, path, "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Usage: " in done.stdout
