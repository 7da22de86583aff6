"""Posts that a person or the Nexus app registers, from the command to their snapshots."""

from uuid import UUID

import pytest
from click.testing import CliRunner

from execution.cli import main
from execution.control.posts import text_hash
from tests.integration.collection.scene import Scene, at, environment

KINDS = [("profile", "twitter:ana_x"), ("page", "linkedin:ana-page")]


def register(scene: Scene, *arguments: str, text: str | None = None) -> UUID:
    command = ["posts", "register", *arguments, "--user", "ana@example.com"]
    done = CliRunner(env=environment(scene)).invoke(main, command, input=text)
    assert done.exit_code == 0, done.output
    return UUID(done.output.strip())


@pytest.mark.parametrize(("kind", "account"), KINDS)
def test_a_post_registered_before_it_had_an_id_is_found_and_keeps_its_own(
    scene: Scene, kind: str, account: str
) -> None:
    scene.connect(kind)
    post = next(p for p in scene.posts_of(kind) if p.type != "reply" and text_hash(p.text))
    # what the app sent: the platform made its own links of it, and took two minutes
    sent = f"{post.text.replace('https://', 'https://www.')}  "
    before = f"{at(post.published - 120):%Y-%m-%dT%H:%M:%SZ}"
    own = register(scene, account, "-", "--published", before, text=sent)
    assert own in {one.post_id for one in scene.waiting()}
    assert scene.run().failures == []
    assert scene.waiting() == []
    found = scene.tracked()[post.urn or str(post.id)]
    assert (found.post_id, found.published_at) == (own, at(post.published))
    table = f"{found.platform}_snapshots"
    rows = [row for row in scene.spooled(table) if row["post_id"] == str(own)]
    assert [row["platform_post_id"] for row in rows] == [found.platform_post_id]
    scene.later(hours=6)
    assert scene.run().failures == []
    assert len([row for row in scene.spooled(table) if row["post_id"] == str(own)]) == 2


def test_a_post_of_the_app_that_never_appears_waits_and_harms_nothing(scene: Scene) -> None:
    scene.connect("profile")
    own = register(scene, "twitter:ana_x", "Words that nobody posted")
    assert scene.run().failures == []
    assert [post.post_id for post in scene.waiting()] == [own]
    assert str(own) not in {row["post_id"] for row in scene.spooled("twitter_snapshots")}


def test_a_members_post_is_polled_from_its_link(scene: Scene) -> None:
    scene.connect("member")
    post = scene.posts_of("member")[0]
    link = f"https://www.linkedin.com/feed/update/{post.urn}/"
    published = at(post.published).isoformat()
    own = register(scene, "linkedin:ana", "--link", link, "--published", published)
    assert register(scene, "linkedin:ana", "--link", link, "--published", published) == own
    assert scene.run().failures == []
    assert scene.read_ids("linkedin") == [post.urn]
