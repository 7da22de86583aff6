"""How the settings tell each platform's client where, how and as whom to ask."""

from execution.control.settings import Settings
from ingest import oauth
from ingest.platforms import PlatformSettings
from ingest.platforms.linkedin import LinkedInSettings
from ingest.platforms.twitter import TwitterSettings


def platform_settings(settings: Settings, platform: str) -> PlatformSettings:
    """The client settings of `platform`. Raises KeyError for an unknown one."""
    known: dict[str, PlatformSettings] = {
        "twitter": TwitterSettings(
            base_url=settings.x_base_url,
            dialect=settings.x_dialect,
            owned_reads=settings.x_owned_reads,
        ),
        "linkedin": LinkedInSettings(
            base_url=settings.linkedin_base_url,
            version=settings.linkedin_version,
            tier=settings.linkedin_tier,
        ),
    }
    return known[platform]


def oauth_provider(settings: Settings, platform: str) -> oauth.Provider:
    """Where consents are given: at the platform, or where its base URL was moved to."""
    provider = oauth.PROVIDERS[platform]
    base_url = platform_settings(settings, platform).base_url
    own = type(platform_settings(settings, platform))().base_url
    return provider if base_url == own else provider.moved_to(base_url)


def oauth_app(settings: Settings, platform: str) -> oauth.App | None:
    """The developer app of the settings; None while no client id is set."""
    client_id, secret = {
        "twitter": (settings.x_client_id, settings.x_client_secret),
        "linkedin": (settings.linkedin_client_id, settings.linkedin_client_secret),
    }[platform]
    if client_id is None:
        return None
    known_secret = secret.get_secret_value() if secret else None
    return oauth.App(client_id, known_secret, settings.oauth_redirect_url)
