"""Short post texts in a few topics, and how each platform writes them.

Texts are plain here; `as_x` and `as_little_text` encode them as the platforms send them.
"""

import html
import random
import re
from collections.abc import Mapping, Sequence

TOPICS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "data": {
        "subject": (
            "our dbt models",
            "DuckDB",
            "a late-arriving row",
            "the metrics layer",
            "a 3-line SQL query",
            "incremental loads",
            "the nightly build",
        ),
        "news": (
            "went from 40 minutes to 90 seconds",
            "finally has tests",
            "broke on a Friday",
            "now runs on one laptop",
            "is boring, and that is the point",
            "needs < 1 GB of memory",
        ),
        "tags": ("dataengineering", "analytics", "sql", "duckdb"),
        "emoji": ("📊", "🦆", "🧮"),
    },
    "product": {
        "subject": (
            "our new onboarding",
            "the smallest feature we ever shipped",
            "the roadmap",
            "release 4.2",
            "a customer's idea",
            "the beta",
        ),
        "news": (
            "is live for everyone",
            "cut support tickets by 30%",
            "took one afternoon",
            "came from a single phone call",
            "is open for sign-ups",
            "taught us to ask < 5 questions",
        ),
        "tags": ("buildinpublic", "product", "saas", "startup"),
        "emoji": ("🚀", "🎉", "🛠️"),
    },
    "hiring": {
        "subject": (
            "our platform team",
            "a junior analyst",
            "the first designer",
            "our Lisbon office",
            "the support crew",
        ),
        "news": (
            "is growing: two open roles",
            "starts on Monday",
            "turned one year old",
            "is looking for a lead",
            "has a four-day week & loves it",
        ),
        "tags": ("hiring", "jobs", "culture", "remotework"),
        "emoji": ("👋", "🙌", "💼"),
    },
    "garden": {
        "subject": (
            "the tomato bed",
            "our community plot",
            "a jar of wild honey",
            "the rain barrel",
            "an old pear tree",
        ),
        "news": (
            "gave 12 kg this week",
            "needs volunteers on Saturday",
            "is back in bloom",
            "beat every forecast",
            "has bees & butterflies again",
        ),
        "tags": ("urbangardening", "sustainability", "community"),
        "emoji": ("🍅", "🐝", "🌱"),
    },
}

_CLOSERS = (
    "What would you have done?",
    "Full story in the comments.",
    "Notes below.",
    "Ask me anything.",
    "More soon.",
    "Who else has seen this?",
    "Worth every minute.",
)
_REPLIES = (
    "Thanks, that means a lot!",
    "Good point. We measured it twice (and once more).",
    "Yes: the docs are here ->",
    "Not yet, but it is on the list.",
    "Agreed & noted.",
)
_LITTLE_TEXT_RESERVED = re.compile(r"([\\|{}@\[\]()<>#*_~])")


def compose(rng: random.Random, topic: str, *, long: bool) -> str:
    """A plain post text: a line of news, sometimes more lines, an emoji, hashtags, a link."""
    words = TOPICS[topic]
    subject, news = rng.choice(words["subject"]), rng.choice(words["news"])
    lines = [f"{subject[0].upper()}{subject[1:]} {news}{rng.choice(('.', '!', ''))}"]
    if rng.random() < 0.3:
        lines[0] += f" {rng.choice(words['emoji'])}"
    for _ in range(rng.randrange(1, 4) if long else rng.randrange(2)):
        lines.append(f"- {rng.choice(words['subject'])} {rng.choice(words['news'])}")
    if rng.random() < 0.5:
        lines.append(rng.choice(_CLOSERS))
    if rng.random() < 0.6:
        lines.append(" ".join(f"#{tag}" for tag in rng.sample(words["tags"], 2)))
    return "\n".join(lines) if len(lines) < 3 else "\n".join((lines[0], "", *lines[1:]))


def compose_reply(rng: random.Random, handle: str) -> str:
    return f"@{handle} {rng.choice(_REPLIES)}"


def as_x(text: str) -> str:
    """X sends `&`, `<` and `>` as HTML entities."""
    return html.escape(text, quote=False)


def as_little_text(text: str) -> str:
    """LinkedIn "little text": reserved characters are escaped with a backslash (unconfirmed)."""
    return _LITTLE_TEXT_RESERVED.sub(r"\\\1", text)
