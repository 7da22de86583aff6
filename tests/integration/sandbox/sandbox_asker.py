"""A stand-in asked through Flask's test client, with shorthands for both platforms."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from flask import Flask
from werkzeug.test import TestResponse

import ingest.sandbox
from ingest.sandbox.engine import Sandbox
from ingest.sandbox.world import Account, World

START = datetime(2026, 7, 31, 12, tzinfo=UTC)
VERSION = "202606"
EVERY_FAULT = Path(ingest.sandbox.__file__).with_name("all_faults.yml")


def encoded(*urns: str) -> str:
    """`List(urn%3Ali%3A…,…)`, or the one URN alone."""
    return quote(urns[0], safe="")


def listed(urns: list[str]) -> str:
    return f"List({','.join(encoded(urn) for urn in urns)})"


@dataclass
class Asker:
    """Asks a stand-in as one user of the demo world would."""

    app: Flask

    @property
    def sandbox(self) -> Sandbox:
        sandbox: Sandbox = self.app.extensions["sandbox"]
        return sandbox

    @property
    def world(self) -> World:
        return self.sandbox.world

    @property
    def profile(self) -> Account:
        return self.world.accounts[0]

    @property
    def page(self) -> Account:
        return self.world.accounts[1]

    @property
    def member(self) -> Account:
        return self.world.accounts[2]

    @property
    def now(self) -> float:
        return self.sandbox.now()

    def bearer(self, account: Account) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.sandbox.tokens.of(account).access_token}"}

    def x(self, path: str, headers: Mapping[str, str] | None = None) -> TestResponse:
        """Ask X, as the owner of the profile unless `headers` say otherwise."""
        given = self.bearer(self.profile) if headers is None else headers
        return self.app.test_client().get(path, headers=given)

    def linkedin(
        self, path: str, account: Account | None = None, **changed: str | None
    ) -> TestResponse:
        """Ask LinkedIn, as the page's administrator; `changed` headers, None leaves one out."""
        headers = {
            **self.bearer(account or self.page),
            "LinkedIn-Version": VERSION,
            "X-Restli-Protocol-Version": "2.0.0",
            **{name.replace("_", "-"): value for name, value in changed.items()},
        }
        kept = {name: value for name, value in headers.items() if value is not None}
        return self.app.test_client().get(path, headers=kept)

    def statistics(self, *parts: str) -> TestResponse:
        """The page's share statistics with further query parts."""
        entity = f"organizationalEntity={encoded(self.page.urn)}"
        query = "&".join(("q=organizationalEntity", entity, *parts))
        return self.linkedin(f"/rest/organizationalEntityShareStatistics?{query}")

    def scenario(self, *rules: Mapping[str, object], **settings: object) -> None:
        """Load a scenario the way an operator would."""
        answer = self.app.test_client().post(
            "/_sandbox/scenario", json={"rules": list(rules), "settings": settings}
        )
        assert answer.status_code == 200, answer.text
