"""The views behind the Overview: one platform in every metric, one post over its life."""

import re
from typing import Any

import pytest
import world
from playwright.sync_api import Page, Route, expect
from world import days_back, gained

from api import schemas as s

POST = world.POSTS["twitter"][9]
POST_PATH = f"/posts/{POST.post_id}"


def cells(page: Page, table: str, row: str) -> list[str]:
    """The cells of one row of a panel's table."""
    found = page.locator(f'table[aria-labelledby="{table}-title"] tr').filter(
        has=page.get_by_role("rowheader", name=re.compile(f"^{row}"))
    )
    return [cell.strip() for cell in found.first.locator("td").all_inner_texts()]


@pytest.fixture
def platform(page: Page) -> Page:
    page.goto("/platform/linkedin")
    page.locator("#metrics-title").wait_for()
    return page


@pytest.fixture
def post(page: Page) -> Page:
    page.goto(POST_PATH)
    page.locator("#timeline-title").wait_for()
    return page


def test_the_platform_view_counts_that_platform_alone(platform: Page) -> None:
    value = gained("impressions", *days_back(30), [world.PAGE])
    card = platform.locator('[data-card="Total Impressions"] .card-value')
    expect(card).to_have_attribute("title", f"{value:,}")
    assert cells(platform, "metrics", "Impressions")[0] == f"{value:,}"
    comments = gained("comments", *days_back(30), [world.PAGE])
    assert cells(platform, "metrics", "Comments")[0] == f"{comments:,}"


def test_what_a_platform_does_not_offer_is_a_dash_with_a_reason(platform: Page) -> None:
    assert cells(platform, "metrics", "Quotes") == ["–", "not offered"]


def test_platforms_are_compared_per_thousand_impressions(platform: Page) -> None:
    platform.keyboard.press("d")
    table = platform.get_by_role("region", name="Platforms compared")
    likes = [
        1000
        * gained("likes", *days_back(30), [account])
        / gained("impressions", *days_back(30), [account])
        for account in world.ACCOUNTS
    ]
    row = table.get_by_role("row").filter(has_text="Likes")
    assert row.locator("td").all_inner_texts() == [f"{value:.1f}" for value in likes]
    bookmarks = table.get_by_role("row").filter(has_text="Bookmarks").locator("td")
    assert bookmarks.first.inner_text() == "–"


def test_tabs_lead_to_the_other_platform_and_keep_the_period(platform: Page) -> None:
    platform.keyboard.press("2")
    platform.get_by_role("navigation", name="Platform").get_by_role("link", name="X").click()
    expect(platform).to_have_url(re.compile(r"/platform/twitter\?window=7d$"))
    expect(platform.get_by_role("heading", level=1)).to_have_text("X")
    value = gained("impressions", *days_back(7), [world.BOTS])
    expect(platform.locator('[data-card="Total Impressions"] .card-value')).to_have_attribute(
        "title", f"{value:,}"
    )


def test_only_posts_of_the_platform_are_listed_whatever_the_order(platform: Page) -> None:
    platform.get_by_role("button", name="Impressions", exact=True).click()
    expect(platform.get_by_role("heading", name="Top posts by impressions")).to_be_visible()
    expect(platform.locator('[aria-busy="true"]')).to_have_count(0)
    names = [row.get_attribute("data-post") for row in platform.locator("[data-post]").all()]
    assert names
    assert all(name and name.startswith("li-") for name in names)


def test_a_post_of_the_table_leads_to_its_own_view_and_back(page: Page) -> None:
    page.goto("/?window=90d")
    page.locator(f'[data-post="{POST.name}"]').get_by_role("link", name=str(POST.text)).click()
    expect(page).to_have_url(re.compile(rf"{POST_PATH}\?window=90d$"))
    expect(page).to_have_title("Post · Nexus Analytics")
    expect(page.get_by_role("article", name="The post")).to_contain_text(str(POST.text))
    page.get_by_role("link", name="← Overview").click()
    expect(page).to_have_url(re.compile(r"/\?window=90d$"))


def test_the_post_view_shows_its_totals_and_every_reading(post: Page) -> None:
    total = world.total("impressions", POST)
    expect(post.locator('[data-card="Impressions"] .card-value')).to_have_text(f"{total:,}")
    post.get_by_role("button", name="Show the figures as a table").click()
    rows = post.get_by_role("region", name="Impressions by reading").locator("tbody tr")
    readings = [i for i in world.INCREMENTS if i.post == POST]
    expect(rows).to_have_count(len(readings))
    last = rows.last.locator("td").all_inner_texts()
    assert last[:2] == [f"{total:,}", f"{readings[-1].new['impressions']:,}"]


def test_the_engagements_of_a_post_are_taken_apart(post: Page) -> None:
    engagements = world.total("engagements", POST)
    likes = world.total("likes", POST)
    assert cells(post, "breakdown", "Likes") == [f"{likes:,}", f"{likes / engagements:.2%}"]
    expect(post.locator(".ring-total")).to_contain_text(f"{engagements:,}")


def test_a_post_is_not_compared_with_too_few_others(post: Page) -> None:
    expect(post.get_by_text("it takes 10 posts")).to_be_visible()


def test_a_post_stands_beside_the_median_of_its_siblings(page: Page) -> None:
    benchmark = {
        "metric": "impressions",
        "age": "72h",
        "value": 5200.0,
        "median": 4000.0,
        "lower_quartile": 3000.0,
        "upper_quartile": 6000.0,
        "mean": 4300.0,
        "percentile": 62.0,
        "posts": 23,
    }

    def with_benchmark(route: Route) -> None:
        body: dict[str, Any] = route.fetch().json()
        body["benchmarks"] = [benchmark]
        s.PostDetailAnswer.model_validate(body)
        route.fulfill(json=body)

    page.route(f"**/api/analytics{POST_PATH}", with_benchmark)
    page.goto(POST_PATH)
    expect(page.get_by_role("heading", name="Against your posts at 72 hours")).to_be_visible()
    panel = page.get_by_role("region", name=re.compile("^Against your posts"))
    expect(panel).to_contain_text("62nd percentile")
    expect(panel).to_contain_text("median 4,000, middle half 3,000 to 6,000")
    expect(panel).to_contain_text("Compared with 23 posts.")


def test_a_post_of_nobody_here_is_not_found(page: Page, complaints: list[str]) -> None:
    page.goto(f"/posts/{world.PAGE.account_id}")
    expect(page.locator('[data-empty="not-found"]')).to_contain_text(
        "None of your accounts has this post."
    )
    page.get_by_role("button", name="Back to the start").click()
    expect(page.locator('[data-card="Total Impressions"]')).to_be_visible()
    complaints.append(world.PROVOKED)
