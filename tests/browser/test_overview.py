"""The Overview in a real browser: its numbers are those of the API, and its controls ask for others."""

import re

import pytest
from playwright.sync_api import Page, expect

from . import canned


def card(page: Page, title: str) -> str:
    """All that one card says."""
    return page.locator(f'[data-card="{title}"]').inner_text()


def compact(value: int) -> str:
    """As the cards write counts of five digits and more."""
    return f"{value / 1000:.1f}k" if value >= 10_000 else f"{value:,}"


def post_ids(page: Page) -> list[str]:
    """The platform's ids of the listed posts, in their order on the page."""
    rows = page.locator("[data-post]").all()
    return [row.get_attribute("data-post") or "" for row in rows]


@pytest.fixture
def overview(page: Page) -> Page:
    page.goto("/")
    page.locator("[data-post]").first.wait_for()
    return page


def test_the_cards_show_the_numbers_of_the_api(overview: Page) -> None:
    cards = canned.overview({}, []).cards
    impressions, engagements, rate = cards.impressions, cards.engagements, cards.engagement_rate
    assert impressions.value is not None
    assert engagements.value is not None
    assert rate.value is not None
    assert compact(impressions.value) in card(overview, "Total Impressions")
    assert f"+{impressions.change.percent}%" in card(overview, "Total Impressions")
    assert "incl. 12.8k from history" in card(overview, "Total Impressions")
    assert compact(engagements.value) in card(overview, "Total Engagements")
    assert f"{rate.value * 100:.2f}%" in card(overview, "Avg Engagement Rate")
    best = card(overview, "Best Performing Platform")
    assert cards.best_platform.platform == "twitter"
    assert re.search(r"^X$", best, re.MULTILINE)


def test_a_compact_number_is_exact_in_its_title(overview: Page) -> None:
    value = canned.overview({}, []).cards.impressions.value
    shown = overview.locator('[data-card="Total Impressions"] .card-value')
    expect(shown).to_have_attribute("title", f"{value:,}")


def test_a_definition_opens_on_focus_and_closes_on_escape(overview: Page) -> None:
    overview.get_by_role("button", name="What is Total Engagements?").focus()
    definition = overview.get_by_role("tooltip").filter(has_text="LinkedIn page: likes")
    expect(definition).to_be_visible()
    overview.keyboard.press("Escape")
    expect(definition).to_be_hidden()


def test_a_card_chooses_the_metric_of_the_chart(overview: Page) -> None:
    overview.get_by_role("button", name="Avg Engagement Rate", exact=True).click()
    expect(overview.get_by_role("heading", name="Engagement rate per day")).to_be_visible()
    expect(overview).to_have_url(re.compile(r"\?metric=engagement_rate$"))


def test_the_chart_draws_one_line_a_platform_and_leaves_a_gap_where_nothing_is_known(
    overview: Page,
) -> None:
    lines = overview.locator('.chart svg path[fill="none"][stroke-width="2"]')
    expect(lines.first).to_be_attached()
    blue, ink = "rgb(10, 102, 194)", "rgb(35, 38, 47)"
    strokes = [line.get_attribute("stroke") for line in lines.all()]
    assert {blue, ink} <= set(strokes)
    path = lines.nth(strokes.index(blue)).get_attribute("d") or ""
    assert path.count("M") == 2, "a gap interrupts the line: it starts twice"


def test_the_legend_switches_a_series_off_and_the_address_keeps_it(overview: Page) -> None:
    overview.get_by_role("button", name=re.compile("^LinkedIn")).click()
    expect(overview).to_have_url(re.compile(r"\?hide=linkedin$"))
    expect(overview.locator('.chart svg path[stroke="rgb(10, 102, 194)"]')).to_have_count(0)


def test_the_table_behind_the_chart_shows_the_same_figures(overview: Page) -> None:
    overview.get_by_role("button", name="Show the figures as a table").click()
    table = overview.get_by_role("region", name="Impressions by bucket")
    rows = table.locator("tbody tr")
    expect(rows).to_have_count(30)
    gap = rows.filter(has_text="9 Nov 2026").filter(has_not_text="19 Nov")
    assert gap.locator("td").all_inner_texts() == ["–", "–", "–"]
    today = rows.last.locator("td").all_inner_texts()
    values = [canned.impressions_on(platform, canned.TODAY) or 0 for platform in canned.PLATFORMS]
    assert today == [f"{value:,}" for value in (*values, sum(values))]
    expect(rows.last).to_contain_text("so far")


def test_the_last_24_hours_are_four_bars_of_six_hours(page: Page) -> None:
    page.goto("/?window=24h&table=on")
    rows = page.get_by_role("region", name="Impressions by bucket").locator("tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.first).to_contain_text("17:00 – 23:00")


def test_ten_posts_are_listed_by_score_and_other_columns_ask_the_api(overview: Page) -> None:
    best = [post.platform_post_id for post in canned.overview({}, []).top_posts]
    assert post_ids(overview) == best
    expect(overview.get_by_role("columnheader", name="Score")).to_have_attribute(
        "aria-sort", "descending"
    )
    with overview.expect_response(re.compile(r"/api/analytics/posts\?.*sort=impressions")):
        overview.get_by_role("button", name="Impressions", exact=True).click()
    most = canned.posts({"sort": "impressions"}, []).posts
    expect(overview.locator("[data-post]").first).to_have_attribute(
        "data-post", most[0].platform_post_id
    )
    assert post_ids(overview) == [post.platform_post_id for post in most]
    expect(overview.get_by_role("heading", name="Top posts by impressions")).to_be_visible()
    overview.get_by_role("button", name="Impressions", exact=True).click()
    expect(overview.get_by_role("heading", name="Lowest posts by impressions")).to_be_visible()
    expect(overview.get_by_role("columnheader", name="Impressions")).to_have_attribute(
        "aria-sort", "ascending"
    )


def test_a_post_without_text_shows_its_id_and_a_deleted_one_says_so(overview: Page) -> None:
    deleted = overview.locator(f'[data-post="{canned.POSTS[5].platform_post_id}"]')
    expect(deleted).to_contain_text(f"Post {canned.POSTS[5].platform_post_id}")
    expect(deleted).to_contain_text("deleted")
    expect(deleted.get_by_role("link")).to_have_count(0)


def test_quick_actions_open_the_post_and_copy_its_link(overview: Page) -> None:
    overview.context.grant_permissions(["clipboard-read", "clipboard-write"])
    row = overview.locator("[data-post]").first
    link = row.get_by_role("link", name="Open on LinkedIn (new tab)")
    expect(link).to_have_attribute("href", "https://example.com/linkedin/0")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    row.get_by_role("button", name="Copy the post's link").click()
    expect(row.get_by_role("button", name="Link copied")).to_be_visible()
    assert overview.evaluate("navigator.clipboard.readText()") == "https://example.com/linkedin/0"


def test_a_preset_changes_the_address_and_the_numbers(overview: Page) -> None:
    overview.get_by_role("button", name="Last 7 days").click()
    expect(overview).to_have_url(re.compile(r"\?window=7d$"))
    value = canned.overview({"window": "7d"}, []).cards.impressions.value or 0
    expect(overview.locator('[data-card="Total Impressions"]')).to_contain_text(compact(value))
    overview.go_back()
    value = canned.overview({}, []).cards.impressions.value or 0
    expect(overview.locator('[data-card="Total Impressions"]')).to_contain_text(compact(value))


def test_an_address_restores_the_whole_view(page: Page) -> None:
    page.goto("/?window=90d&metric=likes&compare=none&table=on")
    expect(page.get_by_role("region", name="Likes by bucket").locator("tbody tr")).to_have_count(90)
    expect(page.get_by_role("switch", name="Compare")).not_to_be_checked()
    expect(page.get_by_role("button", name="Last 90 days")).to_have_attribute("aria-pressed", "true")


def test_a_custom_range_counts_its_first_and_last_day(overview: Page) -> None:
    overview.get_by_role("button", name="Custom period").click()
    overview.get_by_label("From").fill("2026-10-01")
    overview.get_by_label("To", exact=True).fill("2026-10-03")
    overview.get_by_role("button", name="Show", exact=True).click()
    expect(overview).to_have_url(re.compile(r"\?window=custom&from=2026-10-01&to=2026-10-03$"))
    expect(overview.locator(".page-range")).to_contain_text("1 – 3 Oct 2026")
    value = canned.overview(
        {"window": "custom", "from": "2026-10-01", "to": "2026-10-03"}, []
    ).cards.impressions.value
    expect(overview.locator('[data-card="Total Impressions"]')).to_contain_text(f"{value:,}")


def test_a_range_that_runs_backwards_cannot_be_shown(overview: Page) -> None:
    overview.get_by_role("button", name="Custom period").click()
    overview.get_by_label("From").fill("2026-10-03")
    overview.get_by_label("To", exact=True).fill("2026-10-01")
    expect(overview.get_by_text("The first day lies after the last.")).to_be_visible()
    expect(overview.get_by_role("button", name="Show", exact=True)).to_be_disabled()


def test_arrows_step_by_the_length_of_the_period_and_back(page: Page) -> None:
    page.goto("/?window=7d")
    expect(page.get_by_role("button", name="Next period")).to_be_disabled()
    page.get_by_role("button", name="Previous period").click()
    expect(page).to_have_url(re.compile("from=2026-11-09&to=2026-11-15"))
    page.get_by_role("button", name="Next period").click()
    expect(page).to_have_url(re.compile(r"\?window=7d$"))


def test_without_comparison_no_change_is_shown(overview: Page) -> None:
    expect(overview.locator(".change").first).to_be_visible()
    overview.get_by_role("switch", name="Compare").click()
    expect(overview.locator(".change")).to_have_count(0)
    expect(overview).to_have_url(re.compile(r"\?compare=none$"))


def test_the_account_filter_narrows_every_number(overview: Page) -> None:
    page = overview
    page.get_by_role("button", name="Accounts: All accounts").click()
    page.get_by_role("checkbox", name="@harbour_bots").uncheck()
    linkedin = str(canned.ACCOUNTS[0].account_id)
    expect(page).to_have_url(re.compile(rf"\?accounts={linkedin}$"))
    value = canned.overview({}, [linkedin]).cards.impressions.value or 0
    expect(page.locator('[data-card="Total Impressions"]')).to_contain_text(compact(value))
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Accounts: Harbour Robotics")).to_be_focused()


def test_the_freshness_badge_tells_the_age_of_each_account(overview: Page) -> None:
    overview.get_by_role("button", name=re.compile("^Freshness: Updated")).click()
    panel = overview.get_by_role("group", name=re.compile("^Freshness"))
    expect(panel.get_by_role("listitem")).to_have_count(2)
    expect(panel).to_contain_text("generation 42")


def test_keys_choose_the_period_step_compare_and_ask_for_help(overview: Page) -> None:
    page = overview
    for key, window in (("1", "24h"), ("2", "7d"), ("4", "90d")):
        page.keyboard.press(key)
        expect(page).to_have_url(re.compile(rf"\?window={window}$"))
    page.keyboard.press("3")
    expect(page).to_have_url(re.compile(r"/$"))
    expect(page.locator(".is-stale")).to_have_count(0)
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("from=2026-09-24&to=2026-10-23"))
    expect(page.locator(".page-range")).to_contain_text("24 Sept")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"/$"))
    page.keyboard.press("c")
    expect(page.get_by_role("switch", name="Compare")).not_to_be_checked()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    expect(dialog).to_be_visible()
    page.keyboard.press("2")
    expect(page).not_to_have_url(re.compile("window=7d"))
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_keys_typed_into_a_field_stay_there(overview: Page) -> None:
    overview.get_by_role("combobox", name="Metric of the chart").focus()
    overview.keyboard.press("2")
    expect(overview).to_have_url(re.compile(r"/$"))


def test_days_are_those_of_the_users_zone_not_of_the_browser(overview: Page) -> None:
    first = canned.POSTS[0]
    shown = overview.locator(f'[data-post="{first.platform_post_id}"] [data-label="Published"]')
    local = first.published_at.astimezone(canned.ZONE)
    expect(shown).to_have_attribute("title", re.compile(f"{local:%H:%M}$"))
    expect(overview.get_by_text("Days as in Europe/Berlin.")).to_be_visible()
