"""A small LinkedIn in memory: one page with posts, as raw as the real one about its queries."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import httpx

from .harness import PAGE

URN = "urn%3Ali%3Aorganization%3A59910322"


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


@dataclass
class PagePost:
    """A post of the page. `likes` None: no activity at all, so the statistics omit it."""

    urn: str
    published_at: datetime
    likes: int | None = 1
    listed: bool = True
    exists: bool = True
    foreign: bool = False

    def body(self) -> dict[str, Any]:
        at = ms(self.published_at)
        return {
            "id": self.urn,
            "commentary": "hi",
            "lifecycleState": "PUBLISHED",
            "createdAt": at,
            "publishedAt": at,
            "lastModifiedAt": at,
        }


def statistics(urn: str, likes: int = 1, **counters: Any) -> dict[str, Any]:
    """One element of the share statistics."""
    key = "ugcPost" if "ugcPost" in urn else "share"
    told = {"impressionCount": 100, "uniqueImpressionsCount": 80, "clickCount": 3}
    told |= {"likeCount": likes, "commentCount": 2, "shareCount": 1, "engagement": 0.07}
    return {"organizationalEntity": PAGE, key: urn, "totalShareStatistics": told | counters}


def refusal(status: int, message: str = "Not enough permissions") -> httpx.Response:
    return httpx.Response(status, json={"status": status, "message": message})


class MiniLinkedIn:
    """`named`: whether a 403 names the bad URN's index. `tier`: development has no BATCH_GET."""

    def __init__(
        self, posts: Iterable[PagePost] = (), *, named: bool = False, tier: str = "standard"
    ) -> None:
        self.posts = {post.urn: post for post in posts}
        self.named = named
        self.tier = tier

    def __call__(self, request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode("ascii")
        path, _, query = target.partition("?")
        assert "%25" not in target, "encoded twice"
        assert "%28" not in target, "the structure is encoded"
        if path == "/rest/organizationalEntityShareStatistics":
            return self._statistics(query)
        if path == "/rest/posts":
            return self._batch(query) if query.startswith("ids=") else self._finder(query)
        if path.startswith("/rest/posts/"):
            return self._get(unquote(path.rpartition("/")[2]))
        if path.startswith("/rest/networkSizes/"):
            return httpx.Response(200, json={"firstDegreeSize": 42})
        if path.startswith("/rest/organizations/"):
            name = {"localizedName": "Northwind", "vanityName": "northwind-data"}
            return httpx.Response(200, json=name)
        return refusal(404)

    def _finder(self, query: str) -> httpx.Response:
        values = dict(part.split("=") for part in query.split("&"))
        start, count = int(values["start"]), int(values["count"])
        listed = [p for p in self.posts.values() if p.listed and p.exists and not p.foreign]
        listed.sort(key=lambda post: post.published_at, reverse=True)
        elements = [post.body() for post in listed[start : start + count]]
        paging = {"start": start, "count": count, "links": []}
        return httpx.Response(200, json={"paging": paging, "elements": elements})

    def _statistics(self, query: str) -> httpx.Response:
        elements = []
        for parameter, kind in (("shares", "share"), ("ugcPosts", "ugcPost")):
            for index, urn in enumerate(_urns(query, parameter)):
                assert urn.startswith(f"urn:li:{kind}:")
                post = self.posts.get(urn)
                if post is None or post.foreign:
                    at = f" [/{parameter}[{index}]]" if self.named else ""
                    return refusal(403, f"Unpermitted fields present in PARAMETER{at}")
                if post.likes is not None and post.exists:
                    elements.append(statistics(urn, post.likes))
        paging = {"start": 0, "count": 10, "links": []}
        return httpx.Response(200, json={"paging": paging, "elements": elements})

    def _batch(self, query: str) -> httpx.Response:
        if self.tier == "development":
            return refusal(403)
        results, statuses, errors = {}, {}, {}
        for urn in _urns(query, "ids"):
            post = self.posts.get(urn)
            if post is None or not post.exists:
                statuses[urn], errors[urn] = 404, {"status": 404, "message": "gone"}
            else:
                statuses[urn], results[urn] = 200, post.body()
        body: Mapping[str, Any] = {"results": results, "statuses": statuses, "errors": errors}
        return httpx.Response(200, json=body)

    def _get(self, urn: str) -> httpx.Response:
        post = self.posts.get(urn)
        if post is None or not post.exists:
            return refusal(404, f"Resource {urn} does not exist")
        return httpx.Response(200, json=post.body())


def _urns(query: str, parameter: str) -> list[str]:
    match = re.search(rf"(?:^|&){parameter}=List\(([^)]*)\)", query)
    if match is None:
        return []
    items = match[1].split(",")
    assert all(":" not in item for item in items), "a URN inside List() must be encoded"
    return [unquote(item) for item in items]
