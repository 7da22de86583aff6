"""What the fixture `connect_account` is."""

from collections.abc import Callable

from execution.control.models import Connection

#: Connects an account: (platform, handle, e-mail of the user, kind, and fields of the consent).
Connect = Callable[..., Connection]
