"""What an erasure takes: every id and name of a user, an account or a post, found before it starts.

Kept in `forget.json` of the data folder from before the first effect until after the last, so that
an erasure that was begun is finished, whatever happens in between.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from execution.analytics.erasure.warehouse import landed
from execution.control import access
from execution.control.models import (
    Account,
    AccountMember,
    Connection,
    FlagReview,
    Import,
    PostAlias,
    TrackedPost,
    User,
)
from execution.control.settings import INTENT, Settings
from execution.control.vault import Vault
from ingest.durable import remove_durably, replace_durably
from ingest.errors import NexusError

Kind = Literal["user", "account", "post"]

#: A shorter word is not looked for in free text: it would be found everywhere.
_SHORTEST_WORD: Final = 4
_WORD: Final = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|\w+"
)
_HIDDEN: Final = "[erased]"


class NothingToForgetError(NexusError):
    """What should be erased does not exist, or is not named clearly."""


@dataclass(frozen=True)
class Erasure:
    """All that goes. Ids are texts; `names`: handles, names, e-mails, platform account ids.

    `files`: names of imported files that were of these accounts alone. `snapshots`: those among
    theirs that somebody reviewed. `accounts_left`: accounts that stay, because others read them;
    `accounts_cut`: accounts that stay and lose a post.
    """

    kind: Kind
    users: tuple[str, ...] = ()
    user_keys: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    posts: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    snapshots: tuple[str, ...] = ()
    platform_posts: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    accounts_left: tuple[str, ...] = ()
    accounts_cut: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        """What it is about, without saying whom: for the audit log."""
        return {name: len(getattr(self, name)) for name in ("users", "accounts", "posts")}

    def summary(self) -> str:
        """The same for the person who is asked whether to go on."""
        parts = [
            f"{number:,} {name if number != 1 else name[:-1]}"
            for name, number in self.counts().items()
            if number
        ]
        stay = len(self.accounts_left)
        kept = f"; stays, because others read it: {stay} account{'s' * (stay != 1)}"
        return ", ".join(parts) + kept * bool(stay)

    @cached_property
    def terms(self) -> "Terms":
        """Its ids and names, to be found in free text."""
        found = [*self.users, *self.user_keys, *self.accounts, *self.connections, *self.snapshots]
        return Terms([*found, *self.posts, *self.platform_posts, *self.names, *self.files])

    @cached_property
    def columns(self) -> dict[str, frozenset[str]]:
        """Column name -> values that mark a row of any table as one that goes."""
        marked = {
            "account_id": frozenset(self.accounts),
            "post_id": frozenset(self.posts),
            "connection_id": frozenset(self.connections),
            "user_key": frozenset(self.user_keys),
            "reviewed_by": frozenset(self.user_keys),
        }
        return {column: values for column, values in marked.items() if values}


class Terms:
    """Finds and hides words and names in text; none is found inside a longer word."""

    def __init__(self, terms: Iterable[str]) -> None:
        words: set[str] = set()
        names: list[str] = []
        for term in filter(None, map(str.casefold, terms)):
            if _WORD.fullmatch(term):
                words |= {term, term.replace("-", "")}
            elif len(term) >= _SHORTEST_WORD:
                names.append(re.escape(term))
            # a URN is also known by its last part
            words.add(term.rpartition(":")[2])
        self._words = frozenset(word for word in words if len(word) >= _SHORTEST_WORD)
        pattern = "|".join(sorted(names, key=len, reverse=True)) or r"(?!)"
        self._names = re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE)

    def found_in(self, text: str) -> bool:
        return bool(self._names.search(text)) or any(
            word.casefold() in self._words for word in _WORD.findall(text)
        )

    def hide(self, text: str) -> str:
        def hidden(word: re.Match[str]) -> str:
            return _HIDDEN if word[0].casefold() in self._words else word[0]

        return _WORD.sub(hidden, self._names.sub(_HIDDEN, text))

    def hide_in(self, value: Any) -> Any:
        """The same in every text of a JSON value."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, dict):
            return {self.hide(name): self.hide_in(item) for name, item in value.items()}
        return [self.hide_in(item) for item in value] if isinstance(value, list) else value


# --- the intent --------------------------------------------------------------------------------


def begun(settings: Settings) -> Erasure | None:
    """The erasure that was begun and is not finished, if there is one."""
    path = settings.data_dir / INTENT
    if not path.exists():
        return None
    content = json.loads(path.read_text())
    return Erasure(
        content.pop("kind"),
        **{field.name: tuple(content[field.name]) for field in fields(Erasure)[1:]},
    )


def begin(settings: Settings, erasure: Erasure) -> None:
    """From now on it will be finished, by this run or the next; durable on return."""
    replace_durably(settings.data_dir / INTENT, json.dumps(asdict(erasure)).encode())


def end(settings: Settings) -> None:
    """It is finished: its own list of ids goes, too."""
    remove_durably(settings.data_dir / INTENT)


# --- finding it --------------------------------------------------------------------------------


def find(settings: Settings, session: Session, vault: Vault, kind: Kind, given: str) -> Erasure:
    """All that erasing this user, account or post takes.

    `given`: a UUID; or a user's e-mail, platform:handle of an account, a post's platform id.
    Raises NothingToForgetError if there is none of it, or several.
    """
    return {"user": _find_user, "account": _find_account, "post": _find_post}[kind](
        settings, session, vault, given
    )


def _find_user(settings: Settings, session: Session, vault: Vault, given: str) -> Erasure:
    user_id = _uuid(given)
    user = session.get(User, user_id) if user_id else access.find_user(session, given)
    if user is None:
        raise NothingToForgetError(f"there is no user {given}")
    seen = set(
        session.scalars(select(AccountMember.account_id).where(AccountMember.user_id == user.id))
    )
    shared = set(
        session.scalars(
            select(AccountMember.account_id).where(
                AccountMember.account_id.in_(seen), AccountMember.user_id != user.id
            )
        )
    )
    consents = session.scalars(select(Connection.id).where(Connection.user_id == user.id))
    return _complete(
        settings,
        session,
        Erasure(
            "user",
            users=(str(user.id),),
            user_keys=(vault.user_key(user.id),),
            connections=tuple(map(str, consents)),
            names=(user.email,),
            accounts_left=tuple(map(str, shared)),
        ),
        seen - shared,
    )


def _find_account(settings: Settings, session: Session, _vault: Vault, given: str) -> Erasure:
    account_id = _uuid(given)
    if account_id:
        query = select(Account.id).where(Account.id == account_id)
    else:
        platform, _, handle = given.partition(":")
        query = select(Account.id).where(
            Account.platform == platform, func.lower(Account.handle) == handle.lower()
        )
    found = list(session.scalars(query))
    if not found:
        raise NothingToForgetError(f"there is no account {given}")
    if len(found) > 1:
        raise NothingToForgetError(
            f"{given} is several accounts, say which: {', '.join(map(str, found))}"
        )
    return _complete(settings, session, Erasure("account"), set(found))


def _find_post(settings: Settings, session: Session, _vault: Vault, given: str) -> Erasure:
    post_id = _uuid(given)
    same = PostAlias.platform_post_id == given if post_id is None else PostAlias.post_id == post_id
    aliases = list(session.scalars(select(PostAlias).where(same)))
    found = {str(alias.post_id) for alias in aliases}
    if post_id is not None:
        tracked = session.get(TrackedPost, post_id) is not None
        if tracked or landed(settings, ["post_id"], {"post_id": [str(post_id)]}):
            found.add(str(post_id))
    if not found:
        raise NothingToForgetError(f"there is no post {given}")
    families = {_family(session, alias.account_id) for alias in aliases}
    if len(families) > 1:
        raise NothingToForgetError(
            f"{given} is several posts, say which: {', '.join(sorted(found))}"
        )
    # files of a merged account know the same post under another id
    for family in families:
        known_as = select(PostAlias.platform_post_id).where(PostAlias.post_id.in_(_uuids(found)))
        twins = select(PostAlias.post_id).where(
            PostAlias.account_id.in_(family), PostAlias.platform_post_id.in_(known_as)
        )
        found |= {str(twin) for twin in session.scalars(twins)}
    return _complete(settings, session, Erasure("post", posts=tuple(found)), set())


def _family(session: Session, account_id: UUID) -> frozenset[UUID]:
    """The account that counts, and those that were merged into it."""
    account = session.get_one(Account, account_id)
    counts = account.merged_into or account.id
    merged = session.scalars(select(Account.id).where(Account.merged_into == counts))
    return frozenset({counts, *merged})


def _uuids(texts: Iterable[str]) -> list[UUID]:
    return [UUID(text) for text in texts]


def _uuid(given: str) -> UUID | None:
    try:
        return UUID(given)
    except ValueError:
        return None


def _complete(
    settings: Settings, session: Session, erasure: Erasure, accounts: set[UUID]
) -> Erasure:
    """With all that hangs on it: merged accounts, connections, posts, every name they had."""
    accounts |= set(session.scalars(select(Account.id).where(Account.merged_into.in_(accounts))))
    owned = [str(account) for account in accounts]
    posts = {UUID(post) for post in erasure.posts} | set(
        session.scalars(select(TrackedPost.post_id).where(TrackedPost.account_id.in_(accounts)))
    )
    marks = {"account_id": owned, "post_id": [str(post) for post in posts]}
    platform_posts: set[str] = set()
    holders: set[str] = set()
    wanted = ["post_id", "platform_post_id", "account_id"]
    for post, platform_post, account in landed(settings, wanted, marks):
        posts |= {UUID(post)} if post else set()
        platform_posts |= {platform_post} if platform_post else set()
        holders |= {account} if account else set()
    for part in _chunks(posts):
        aliases = select(PostAlias).where(PostAlias.post_id.in_(part))
        for alias in session.scalars(aliases):
            platform_posts.add(alias.platform_post_id)
            holders.add(str(alias.account_id))
    names = set(erasure.names)
    named = ["handle", "display_name", "platform_account_id"]
    for found in landed(settings, named, {"account_id": owned}):
        names |= {name for name in found if name}
    for owner in session.scalars(select(Account).where(Account.id.in_(accounts))):
        known = (owner.handle, owner.display_name, owner.platform_account_id)
        names |= {name for name in known if name}
    connections = {UUID(item) for item in erasure.connections} | set(
        session.scalars(select(Connection.id).where(Connection.account_id.in_(accounts)))
    )
    return Erasure(
        erasure.kind,
        users=erasure.users,
        user_keys=erasure.user_keys,
        accounts=tuple(sorted(owned)),
        posts=tuple(sorted(map(str, posts))),
        connections=tuple(sorted(map(str, connections))),
        snapshots=tuple(_reviewed(settings, session, posts)),
        platform_posts=tuple(sorted(platform_posts)),
        names=tuple(sorted(names)),
        files=tuple(_files(session, accounts)),
        accounts_left=erasure.accounts_left,
        accounts_cut=tuple(sorted(holders - set(owned))),
    )


def _files(session: Session, accounts: set[UUID]) -> list[str]:
    """Names of files that only these accounts imported."""
    theirs = set(session.scalars(select(Import.file_name).where(Import.account_id.in_(accounts))))
    others = session.scalars(select(Import.file_name).where(Import.account_id.not_in(accounts)))
    return sorted(theirs - set(others))


def _reviewed(settings: Settings, session: Session, posts: set[UUID]) -> list[str]:
    """Reviewed snapshots that are of these posts."""
    reviewed = {str(item) for item in session.scalars(select(FlagReview.snapshot_id))}
    rows = landed(settings, ["snapshot_id", "post_id"], {"snapshot_id": reviewed})
    return sorted({str(snapshot) for snapshot, post in rows if post and UUID(post) in posts})


def _chunks(items: Iterable[UUID], size: int = 500) -> Iterator[list[UUID]]:
    whole = list(items)
    for start in range(0, len(whole), size):
        yield whole[start : start + size]
