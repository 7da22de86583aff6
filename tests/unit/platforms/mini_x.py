"""A small X in memory: a timeline that reaches 3,200 posts back, and a lookup."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import httpx

from .harness import not_found, posts_page

REACH = 3_200


class MiniX:
    """Serves `posts`; `page` caps what a timeline page holds, whatever is asked for."""

    def __init__(self, posts: Iterable[Mapping[str, Any]], page: int = 100) -> None:
        self.posts = {post["id"]: dict(post) for post in posts}
        self.page = page

    def __call__(self, request: httpx.Request) -> httpx.Response:
        query = {key: value[0] for key, value in parse_qs(request.url.query.decode()).items()}
        if request.url.path.endswith("/tweets") and "users" in request.url.path:
            return httpx.Response(200, json=self._timeline(query))
        if request.url.path == "/2/tweets":
            return httpx.Response(200, json=self._lookup(query["ids"].split(",")))
        return httpx.Response(
            200,
            json={
                "data": {"id": "42", "username": "ana", "public_metrics": {"followers_count": 5}}
            },
        )

    def _timeline(self, query: Mapping[str, str]) -> dict[str, Any]:
        newest = sorted(self.posts.values(), key=lambda post: -int(post["id"]))
        replaced = {v for p in newest for v in p["edit_history_tweet_ids"][:-1]}
        listed = [p for p in newest if p["id"] not in replaced][:REACH]
        listed = [p for p in listed if _within(p, query)]
        start = int(query.get("pagination_token", "0"))
        end = start + min(self.page, int(query["max_results"]))
        return posts_page(listed[start:end], str(end) if end < len(listed) else None)

    def _lookup(self, ids: list[str]) -> dict[str, Any]:
        assert len(ids) <= 100
        data = [self.posts[i] for i in ids if i in self.posts]
        errors = [not_found(i) for i in ids if i not in self.posts]
        return ({"data": data} if data else {}) | ({"errors": errors} if errors else {})


def _within(post: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    created = datetime.fromisoformat(post["created_at"])
    earliest = datetime(1970, 1, 1, tzinfo=UTC)
    start = datetime.fromisoformat(query["start_time"]) if "start_time" in query else earliest
    end = datetime.fromisoformat(query["end_time"]) if "end_time" in query else None
    return start <= created and (end is None or created < end)
