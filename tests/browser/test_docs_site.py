"""The lineage site is one page that asks nothing of any network."""

from urllib.parse import urlsplit

from playwright.sync_api import Browser

from tests.integration.conftest import imported, imported_once  # noqa: F401  (fixtures)
from tests.integration.nexus_command import Nexus


def test_the_docs_open_offline_and_show_a_mart_with_its_columns(
    browser: Browser,
    imported: Nexus,  # noqa: F811
) -> None:
    done = imported("docs")
    assert done.returncode == 0, done.stderr
    page_file = imported.data_dir / "docs" / "index.html"
    assert str(page_file) in done.stdout.replace("\n", "")
    asked: list[str] = []
    with browser.new_context(offline=True) as context:
        page = context.new_page()
        page.on("request", lambda request: asked.append(urlsplit(request.url).scheme))
        page.goto(page_file.as_uri() + "#!/model/model.nexus_analytics.post_scores")
        page.get_by_role("heading", name="post_scores").first.wait_for()
        page.get_by_text("engagement_score").first.wait_for()
        assert page.get_by_text("One row per post and").count() > 0
    assert set(asked) <= {"file", "data", "blob"}
