"""Settings reach each platform's client by their names."""

import pytest

from execution.control.platforms import oauth_app, oauth_provider, platform_settings
from execution.control.settings import PLATFORM_PREFIXES, Settings
from ingest.platforms import PLATFORMS
from ingest.platforms.linkedin import LinkedInSettings
from ingest.platforms.twitter import TwitterSettings

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
