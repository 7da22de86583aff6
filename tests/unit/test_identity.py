"""Ids depend on the natural key alone, so that replays and other machines agree."""

from datetime import UTC, datetime
from uuid import UUID

from ingest import identity

USER = UUID("00000000-0000-4000-8000-000000000001")
ACCOUNT = UUID("00000000-0000-4000-8000-000000000002")
SLOT = datetime(2026, 3, 1, 8, tzinfo=UTC)


def test_ids_never_change_between_releases() -> None:
    post = identity.post_id(ACCOUNT, "1850")
    assert str(identity.account_id("twitter", "42")) == "9bbef293-9a9f-5a3d-8bc7-cefb30e9eacc"
    assert str(post) == "01b7c2d8-13b8-5fd2-a30a-8f3256d2745e"
    assert str(identity.snapshot_id(post, SLOT)) == "cded5e97-aa45-5fe3-932f-7f56d49b7b5b"


def test_a_handle_names_the_same_file_account_in_any_case() -> None:
    lower = identity.file_account_id(USER, "twitter", "ropensci")
    assert identity.file_account_id(USER, "twitter", "rOpenSci") == lower


def test_parts_cannot_run_into_each_other() -> None:
    assert identity.account_id("twitter", "42") != identity.account_id("twitter4", "2")
