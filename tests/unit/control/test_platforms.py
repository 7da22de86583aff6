"""What is to be known of a platform is said once, and settings reach its client by their names."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from execution.control.platforms import oauth_app, oauth_provider, platform_settings
from execution.control.settings import PLATFORM_PREFIXES, Settings
from ingest.platforms import PLATFORMS
from ingest.platforms.linkedin import LinkedInSettings
from ingest.platforms.twitter import TwitterSettings

PROJECT = Path(__file__).parents[3]
#: Export files are of one platform each, and the demo has a stand-in for two.
OF_PLATFORMS = ("ingest/platforms/", "ingest/files/", "ingest/sandbox/", "execution/demo.py")
#: Where CONTRIBUTING.md sends those who add one.
NAMED_IN = {
    "execution/control/budgets.py",  # what X bills
    "execution/control/notifications.py",  # consents that end
    "execution/control/posts.py",  # links of posts that LinkedIn lists to nobody
    "execution/control/settings.py",
}
NOT_AS_USUAL = {
    "x_base_url": "https://x.mirror.example",
    "x_dialect": "post",
    "x_owned_reads": False,
    "linkedin_base_url": "https://linkedin.mirror.example",
    "linkedin_version": "202606",
    "linkedin_tier": "development",
}


def test_every_platform_has_settings_and_no_other_has() -> None:
    assert PLATFORM_PREFIXES.keys() == PLATFORMS.keys()


def names_in(path: Path) -> Iterator[str]:
    """The platforms that a module names or imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and node.value in PLATFORMS:
            yield str(node.value)
        elif isinstance(node, ast.ImportFrom) and "ingest.platforms" in (node.module or ""):
            words = {*str(node.module).split("."), *(alias.name for alias in node.names)}
            yield from words & PLATFORMS.keys()


def test_no_other_place_names_a_platform() -> None:
    modules = {
        path.relative_to(PROJECT).as_posix(): path
        for folder in ("ingest", "execution", "api")
        for path in (PROJECT / folder).rglob("*.py")
        if "node_modules" not in path.parts
    }
    naming = {
        name
        for name, path in modules.items()
        if not name.startswith(OF_PLATFORMS) and any(names_in(path))
    }
    assert naming == NAMED_IN


def test_every_setting_reaches_the_client_of_its_platform() -> None:
    settings = Settings(_env_file=None, **NOT_AS_USUAL)
    assert platform_settings(settings, "twitter") == TwitterSettings(
        base_url="https://x.mirror.example", dialect="post", owned_reads=False
    )
    assert platform_settings(settings, "linkedin") == LinkedInSettings(
        base_url="https://linkedin.mirror.example", version="202606", tier="development"
    )


@pytest.mark.parametrize("platform", PLATFORMS)
def test_as_usual_every_client_asks_its_own_platform(platform: str) -> None:
    settings = Settings(_env_file=None)
    assert platform_settings(settings, platform) == PLATFORMS[platform].settings()
    assert oauth_provider(settings, platform) == PLATFORMS[platform].provider


def test_consents_are_given_where_the_base_url_was_moved_to() -> None:
    settings = Settings(_env_file=None, **NOT_AS_USUAL)
    provider = oauth_provider(settings, "twitter")
    assert provider.token_url == "https://x.mirror.example/2/oauth2/token"


def test_each_platform_has_a_developer_app_of_its_own() -> None:
    settings = Settings(_env_file=None, x_client_id="mine", x_client_secret="hidden")
    app = oauth_app(settings, "twitter")
    assert app is not None
    assert (app.client_id, app.client_secret) == ("mine", "hidden")
    assert oauth_app(settings, "linkedin") is None
