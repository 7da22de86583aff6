"""Of a post that its platform deleted, text and link go and the counters stay (METRICS.md 8).

From what is published they go with the next publication: tests/integration/test_publish_changes.py.
"""

from datetime import timedelta

from execution.analytics.imports import Importer
from execution.control.posts import mark_alive, mark_deleted
from tests.integration.retention.household import ANA, NOW, Household
from tests.unit.files.x_exports import csv_text, row

POST = 5
CONTENT = "select text, url from raw.twitter_posts where post_id = ?"


def delete(home: Household) -> None:
    with home.app.store.begin() as session:
        mark_deleted(session, [home.post_id("ana_x", POST)], NOW)
    home.app.land()


def test_its_text_and_link_go_with_the_next_landing_and_its_counters_stay(home: Household) -> None:
    post = str(home.post_id("ana_x", POST))
    readings = home.rows("from raw.twitter_snapshots where post_id = ?", post)
    assert home.rows(CONTENT, post) != [(None, None)]
    delete(home)
    assert home.rows(CONTENT, post) == [(None, None)]
    assert home.rows("from raw.twitter_snapshots where post_id = ?", post) == readings
    assert home.count("raw.twitter_posts where text is null") == 1, "only its own"


def test_the_same_of_a_post_that_a_file_brought(home: Household) -> None:
    post = home.posts["ana_x"][POST]
    path = home.data_dir / "export.csv"
    path.write_text(csv_text([row(post.platform_post_id, "ana_x", Tweet_text="from the file")]))
    Importer(home.app.settings, home.app.store, home.clock, home.user(ANA)).run(
        [path], None, None, lambda *_: None
    )
    delete(home)
    query = "select text, url, impressions from raw.twitter_export_posts"
    assert home.rows(query) == [(None, None, 100)]


def test_a_post_that_is_shown_again_has_its_text_again(home: Household) -> None:
    post_id = home.post_id("ana_x", POST)
    delete(home)
    with home.app.store.begin() as session:
        mark_alive(session, [post_id])
    home.clock.set(NOW + timedelta(hours=6))
    (again,) = [item for item in home.post_rows("ana_x") if item.post_id == post_id]  # type: ignore[attr-defined]
    home.spool([again.model_copy(update={"fetched_at": home.clock.now()})])
    home.app.land()
    assert home.rows(CONTENT, str(post_id)) == [(again.text, again.url)]  # type: ignore[attr-defined]
