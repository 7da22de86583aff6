"""Where tokens may be sent."""

import ipaddress
import re
from urllib.parse import urlsplit

#: Only what every parser of addresses reads alike: what is checked here another one connects to.
_PLAIN = re.compile(
    r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?"
)


def check_base_url(url: str) -> str:
    """`url` without a trailing slash, if tokens may be sent there: https, or loopback.

    DESIGN.md section 4. Raises ValueError with a sentence for the settings' owner.
    """
    if not _PLAIN.fullmatch(url) or not _is_sound(url):
        raise ValueError("a base URL is https://, a host, a port and a path, and nothing else")
    if url.startswith("http:") and not is_loopback(url):
        raise ValueError(f"base URL {url!r} must be https, or http on this machine (loopback)")
    return url.rstrip("/")


def _is_sound(url: str) -> bool:
    """Whether port and bracketed address are such."""
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine, by name or by address."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
