"""How the settings tell each platform's client where, how and as whom to ask."""

from dataclasses import fields

from execution.control.settings import PLATFORM_PREFIXES, Settings
from ingest import oauth
from ingest.platforms import PLATFORMS
from ingest.platforms.base import PlatformSettings


def platform_settings(settings: Settings, platform: str) -> PlatformSettings:
    """The client settings of `platform`. Raises KeyError for an unknown one."""
    client, prefix = PLATFORMS[platform].settings, PLATFORM_PREFIXES[platform]
    known = type(settings).model_fields
    names = [field.name for field in fields(client) if f"{prefix}_{field.name}" in known]
    return client(**{name: settings.of_platform(platform, name) for name in names})


def oauth_provider(settings: Settings, platform: str) -> oauth.Provider:
    """Where consents are given: at the platform, or where its base URL was moved to."""
    provider = PLATFORMS[platform].provider
    client = platform_settings(settings, platform)
    return (
        provider if client.base_url == type(client).base_url else provider.moved_to(client.base_url)
    )


def oauth_app(settings: Settings, platform: str) -> oauth.App | None:
    """The developer app of the settings; None while no client id is set."""
    client_id = settings.of_platform(platform, "client_id")
    secret = settings.of_platform(platform, "client_secret")
    if client_id is None:
        return None
    known_secret = secret.get_secret_value() if secret else None
    return oauth.App(client_id, known_secret, settings.oauth_redirect_url)
