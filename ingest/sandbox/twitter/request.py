"""Reading an X request: its parameters and its dialect (platform-apis.md section 1.1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ingest.sandbox.engine import Call
from ingest.sandbox.twitter.errors import refused

POST_ID = re.compile(r"[0-9]{1,19}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z")


@dataclass(frozen=True)
class Dialect:
    """Key names of one of the two field dialects (platform-apis.md section 1.1)."""

    fields: str
    shares: str
    history: str
    references: str
    note: str
    post_count: str

    @property
    def foreign(self) -> frozenset[str]:
        """Fields of the other dialect: dropped silently."""
        return frozenset({"referenced_tweets", "referenced_posts"} - {self.references})


TWEET = Dialect(
    "tweet.fields",
    "retweet_count",
    "edit_history_tweet_ids",
    "referenced_tweets",
    "note_tweet",
    "tweet_count",
)
POST = Dialect(
    "post.fields",
    "repost_count",
    "edit_history_post_ids",
    "referenced_posts",
    "note_post",
    "post_count",
)

_FIELDS = frozenset(
    {
        "tweet.fields",
        "post.fields",
        "user.fields",
        "media.fields",
        "expansions",
        "poll.fields",
        "place.fields",
    }
)


@dataclass(frozen=True)
class Query:
    """The parameters of a request, each known by its name and given at most once."""

    values: Mapping[str, str]
    dialect: Dialect
    fields: frozenset[str]
    user_fields: frozenset[str]
    expansions: frozenset[str]

    @classmethod
    def of(cls, call: Call, *known: str) -> "Query":
        """Raises BadRequestError for a parameter that the endpoint does not have."""
        values = call.request.args.to_dict()
        for name in values:
            if name not in known and name not in _FIELDS:
                names = ",".join(sorted({*known, *_FIELDS}))
                raise refused(
                    name, values[name], f"The query parameter [{name}] is not one of [{names}]"
                )
        dialect = POST if "post.fields" in values else TWEET
        return cls(
            values,
            dialect,
            split(values.get(dialect.fields)),
            split(values.get("user.fields")),
            split(values.get("expansions")),
        )

    def number(self, name: str, default: int, low: int, high: int) -> int:
        raw = self.values.get(name)
        if raw is None:
            return default
        if not raw.isascii() or not raw.isdigit() or not low <= int(raw) <= high:
            raise refused(
                name,
                raw,
                f"The `{name}` query parameter value [{raw}] is not between {low} and {high}",
            )
        return int(raw)

    def ids(self) -> list[str]:
        raw = self.values.get("ids", "")
        if not raw:
            raise refused("ids", raw, "The `ids` query parameter can not be empty")
        ids = list(dict.fromkeys(raw.split(",")))
        if len(ids) > 100:
            raise refused(
                "ids",
                raw,
                "The number of values in the `ids` query parameter list"
                f" [{len(ids)}] is not between 1 and 100",
            )
        for value in ids:
            self._check_id("ids", value)
        return ids

    def post_id(self, name: str) -> int | None:
        raw = self.values.get(name)
        if raw is None:
            return None
        self._check_id(name, raw)
        return int(raw)

    def _check_id(self, name: str, value: str) -> None:
        if POST_ID.fullmatch(value) is None:
            raise refused(name, value, f"The `{name}` query parameter value [{value}] is not valid")

    def time(self, name: str) -> float | None:
        raw = self.values.get(name)
        if raw is None:
            return None
        try:
            if _TIME.fullmatch(raw) is not None:
                return datetime.fromisoformat(raw).timestamp()
        except ValueError:  # the thirteenth month
            pass
        raise refused(name, raw, f"The `{name}` query parameter value [{raw}] is not valid")


def split(value: str | None) -> frozenset[str]:
    return frozenset(value.split(",")) if value else frozenset()
