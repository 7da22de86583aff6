"""How the settings tell each platform's client where and how to ask."""

from execution.control.settings import Settings
from ingest.platforms import PlatformSettings
from ingest.platforms.linkedin import LinkedInSettings
from ingest.platforms.twitter import TwitterSettings


def platform_settings(settings: Settings, platform: str) -> PlatformSettings:
    """The client settings of `platform`. Raises KeyError for an unknown one."""
    known: dict[str, PlatformSettings] = {
        "twitter": TwitterSettings(base_url=settings.x_base_url, dialect=settings.x_dialect),
        "linkedin": LinkedInSettings(
            base_url=settings.linkedin_base_url,
            version=settings.linkedin_version,
            tier=settings.linkedin_tier,
        ),
    }
    return known[platform]
