"""What `ingest/platforms/toy.py` would be: a platform that counts views, claps and echoes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

import httpx

from ingest.addresses import check_base_url
from ingest.clock import Clock
from ingest.http import Call, Explanation, HttpClient, Pacer, TokenSource
from ingest.oauth import Provider
from ingest.platforms.base import (
    AccountKind,
    AccountRow,
    Collection,
    CollectionRequest,
    MaybeCounter,
    PlatformSettings,
    Post,
    PostRow,
    Profile,
    Reading,
    Reads,
    RequestWindow,
    SnapshotRow,
)


class ToyPostRow(PostRow):
    table = "toy_posts"


class ToySnapshotRow(SnapshotRow):
    table = "toy_snapshots"

    view_count: MaybeCounter
    clap_count: MaybeCounter
    echo_count: MaybeCounter


class ToyAccountRow(AccountRow):
    table = "toy_accounts"


@dataclass(frozen=True)
class ToySettings(PlatformSettings):
    base_url: str = "https://api.toy.example"

    def reads(
        self, kind: AccountKind, *, due: int, listed: int, looks: bool, profile: bool
    ) -> Reads:
        """One request tells of all posts."""
        return Reads(1 + profile)


class Toy:
    """The toy for one connection."""

    name: ClassVar[str] = "toy"
    post_row: ClassVar[type[PostRow]] = ToyPostRow
    snapshot_row: ClassVar[type[SnapshotRow]] = ToySnapshotRow
    account_row: ClassVar[type[AccountRow]] = ToyAccountRow
    settings: ClassVar[type[PlatformSettings]] = ToySettings
    kinds: ClassVar[tuple[AccountKind, ...]] = ("profile",)
    window: ClassVar[RequestWindow] = RequestWindow(timedelta(days=1), "requests_per_day")
    provider: ClassVar[Provider] = Provider(
        authorize_url="https://toy.example/consent",
        token_url="https://api.toy.example/token",
        scopes=("read",),
        uses_pkce=False,
        secret_in_header=False,
    )

    def __init__(
        self,
        settings: ToySettings,
        tokens: TokenSource,
        pacer: Pacer,
        clock: Clock,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = HttpClient(
            check_base_url(settings.base_url),
            explain=lambda refusal: Explanation(f"the toy answered {refusal.status}"),
            tokens=tokens,
            pacer=pacer,
            clock=clock,
            sleep=sleep,
            timeout=settings.timeout,
            transport=transport,
        )

    def close(self) -> None:
        self._http.close()

    def accounts(self) -> list[Profile]:
        return [self.whoami()]

    def whoami(self) -> Profile:
        me = self._http.get(Call("toy.me", "/me")).body
        return Profile(me["id"], "profile", me["handle"], me["name"], me["followers"])

    def collect(self, request: CollectionRequest) -> Collection:
        answer = self._http.get(Call("toy.posts", "/posts"))
        posts: list[Mapping[str, Any]] = answer.body["posts"]
        return Collection(
            profile=self.whoami() if request.with_profile else None,
            posts=[
                Post(p["id"], datetime.fromisoformat(p["at"]), "post", p["text"], p["url"])
                for p in posts
            ],
            readings=[
                Reading(
                    p["id"],
                    answer.received_at,
                    {"view_count": p["views"], "clap_count": p["claps"], "echo_count": p["echoes"]},
                )
                for p in posts
            ],
            discovered=request.discover_since is not None,
        )
