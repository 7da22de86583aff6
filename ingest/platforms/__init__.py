"""The platforms: one module each, found by name in `PLATFORMS`."""

import time
from collections.abc import Callable, Mapping
from typing import Final

import httpx

from ingest.clock import Clock
from ingest.http import Pacer, TokenSource
from ingest.platforms.base import Platform, PlatformSettings
from ingest.platforms.linkedin import LinkedIn
from ingest.platforms.twitter import Twitter

#: Every platform the product collects, as people read them. What is to be known of one, its class
#: says; only a name that must be at hand without its client is said again (`PLATFORM_PREFIXES`).
PLATFORMS: Final[Mapping[str, type[Platform]]] = {
    Twitter.name: Twitter,
    LinkedIn.name: LinkedIn,
}


def open_platform(
    name: str,
    settings: PlatformSettings,
    tokens: TokenSource,
    pacer: Pacer,
    clock: Clock,
    *,
    transport: httpx.BaseTransport | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Platform:
    """The client of one connection. Close it after use.

    `settings`: the platform's own settings class. `transport`: share one of `open_transport`
    among many clients (each makes its TLS context otherwise) and close it yourself.
    Raises ValueError for an unknown platform, settings of another one, or a base URL that is
    neither https nor loopback.
    """
    platform = PLATFORMS.get(name)
    if platform is None:
        raise ValueError(f"unknown platform {name!r}; known: {', '.join(sorted(PLATFORMS))}")
    if not isinstance(settings, platform.settings):
        raise ValueError(f"{name} takes {platform.settings.__name__}")
    make: Callable[..., Platform] = platform
    return make(settings, tokens, pacer, clock, transport=transport, sleep=sleep)
