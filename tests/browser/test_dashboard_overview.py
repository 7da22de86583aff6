"""The Overview in a real browser: its numbers are the facts', and its controls ask for others."""

import re
from datetime import date

import pytest
import world
from playwright.sync_api import Locator, Page, expect
from world import days_back, gained


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


def impressions_card(page: Page) -> Locator:
    return page.locator('[data-card="Total Impressions"]')


def column(page: Page, label: str) -> list[str]:
    """What a column of the posts' table says, row by row."""
    return page.locator(f'[data-post] [data-label="{label}"]').all_inner_texts()


@pytest.fixture
def overview(page: Page) -> Page:
    page.goto("/")
    page.locator("[data-post]").first.wait_for()
    return page


def test_the_cards_show_what_the_facts_add_up_to(overview: Page) -> None:
    first, last = days_back(30)
    impressions, engagements = (
        gained("impressions", first, last),
        gained("engagements", first, last),
    )
    assert compact(impressions) in card(overview, "Total Impressions")
    assert "incl. 12.8k from history" in card(overview, "Total Impressions")
    assert compact(engagements) in card(overview, "Total Engagements")
    assert f"{engagements / impressions:.2%}" in card(overview, "Avg Engagement Rate")


def test_a_change_compares_what_was_observed_with_the_same_stretch_before(overview: Page) -> None:
    now = gained("impressions", *days_back(30), basis="observed")
    before = gained("impressions", date(2026, 9, 24), date(2026, 10, 23), basis="observed")
    assert f"{(now - before) / before:+.1%}" in card(overview, "Total Impressions")
    expect(overview.locator(".page-range")).to_contain_text("compared with 24 Sept – 23 Oct 2026")


def test_the_best_platform_has_the_most_core_engagements_per_impression(overview: Page) -> None:
    rates = {
        account.platform: gained("engagements_core", *days_back(30), [account])
        / gained("impressions", *days_back(30), [account])
        for account in world.ACCOUNTS
    }
    assert rates["twitter"] > rates["linkedin"]
    best = card(overview, "Best Performing Platform")
    assert re.search(r"^X$", best, re.MULTILINE)
    assert f"{rates['twitter']:.2%} core rate" in best
    assert f"LinkedIn {rates['linkedin']:.2%}" in best


def test_a_compact_number_is_exact_in_its_title(overview: Page) -> None:
    value = gained("impressions", *days_back(30))
    shown = impressions_card(overview).locator(".card-value")
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
    rows = overview.get_by_role("region", name="Impressions by bucket").locator("tbody tr")
    expect(rows).to_have_count(30)
    gap = rows.filter(has_text="9 Nov 2026").filter(has_not_text="19 Nov")
    assert gap.locator("td").all_inner_texts() == ["–", "–", "–"]
    today = [gained("impressions", world.TODAY, world.TODAY, [one]) for one in world.ACCOUNTS]
    shown = rows.last.locator("td").all_inner_texts()
    assert shown == [f"{value:,}" for value in (*today, sum(today))]
    expect(rows.last).to_contain_text("so far")


def test_the_last_24_hours_are_four_bars_of_six_hours_that_add_up_to_the_card(page: Page) -> None:
    page.goto("/?window=24h&table=on")
    rows = page.get_by_role("region", name="Impressions by bucket").locator("tbody tr")
    expect(rows).to_have_count(4)
    totals = [row.locator("td").last.inner_text().replace(",", "") for row in rows.all()]
    value = sum(int(text) for text in totals if text != "–")
    expect(impressions_card(page).locator(".card-value")).to_have_attribute("title", f"{value:,}")


def test_the_posts_are_listed_by_score_and_other_columns_ask_for_others(overview: Page) -> None:
    expect(overview.get_by_role("columnheader", name="Score")).to_have_attribute(
        "aria-sort", "descending"
    )
    scores = [float(text.replace(",", "")) for text in column(overview, "Score")]
    assert scores == sorted(scores, reverse=True)
    overview.get_by_role("button", name="Impressions", exact=True).click()
    expect(overview.get_by_role("heading", name="Top posts by impressions")).to_be_visible()
    expect(overview.locator("[data-post]").first).to_have_attribute("data-post", "x-09")
    first, last = days_back(30)
    active = {i.post for i in world.INCREMENTS if first <= i.activity_at.date() <= last}
    most = sorted(active, key=lambda post: world.total("impressions", post), reverse=True)
    assert post_ids(overview) == [post.name for post in most[:10]]
    overview.get_by_role("button", name="Impressions", exact=True).click()
    expect(overview.get_by_role("heading", name="Lowest posts by impressions")).to_be_visible()
    expect(overview.get_by_role("columnheader", name="Impressions")).to_have_attribute(
        "aria-sort", "ascending"
    )
    expect(overview.locator("[data-post]").first).to_have_attribute("data-post", most[-1].name)


def test_a_post_shows_its_totals_and_what_the_period_added(overview: Page) -> None:
    post = world.POSTS["linkedin"][8]
    cell = overview.locator(f'[data-post="{post.name}"] [data-label="Impressions"]')
    first, last = days_back(30)
    added = sum(
        i.new["impressions"]
        for i in world.INCREMENTS
        if i.post == post and first <= i.activity_at.date() <= last
    )
    assert cell.inner_text().split() == [f"{world.total('impressions', post):,}", f"+{added:,}"]


def test_the_text_of_a_post_is_text_and_never_markup(overview: Page) -> None:
    row = overview.locator('[data-post="x-10"]')
    expect(row).to_contain_text("<script>alert('a post is text, never markup')</script>")


def test_a_post_without_text_shows_its_id_and_a_deleted_one_says_so(overview: Page) -> None:
    deleted = overview.locator(f'[data-post="{world.DELETED.name}"]')
    expect(deleted).to_contain_text(f"Post {world.DELETED.name}")
    expect(deleted).to_contain_text("deleted")
    expect(deleted.get_by_role("link", name=re.compile("^Open on"))).to_have_count(0)


def test_quick_actions_open_the_post_and_copy_its_link(overview: Page) -> None:
    overview.context.grant_permissions(["clipboard-read", "clipboard-write"])
    row = overview.locator('[data-post="li-09"]')
    link = row.get_by_role("link", name="Open on LinkedIn (new tab)")
    expect(link).to_have_attribute("href", "https://example.org/li-09")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    row.get_by_role("button", name="Copy the post's link").click()
    expect(row.get_by_role("button", name="Link copied")).to_be_visible()
    assert overview.evaluate("navigator.clipboard.readText()") == "https://example.org/li-09"


def test_a_preset_changes_the_address_and_the_numbers(overview: Page) -> None:
    overview.get_by_role("button", name="Last 7 days").click()
    expect(overview).to_have_url(re.compile(r"\?window=7d$"))
    week, month = gained("impressions", *days_back(7)), gained("impressions", *days_back(30))
    expect(impressions_card(overview)).to_contain_text(compact(week))
    overview.go_back()
    expect(impressions_card(overview)).to_contain_text(compact(month))


def test_an_address_restores_the_whole_view(page: Page) -> None:
    page.goto("/?window=90d&metric=likes&compare=none&table=on")
    expect(page.get_by_role("region", name="Likes by bucket").locator("tbody tr")).to_have_count(90)
    expect(page.get_by_role("switch", name="Compare")).not_to_be_checked()
    expect(page.get_by_role("button", name="Last 90 days")).to_have_attribute(
        "aria-pressed", "true"
    )


def test_a_custom_range_counts_its_first_and_last_day(overview: Page) -> None:
    overview.get_by_role("button", name="Custom period").click()
    overview.get_by_label("From", exact=True).fill("2026-10-01")
    overview.get_by_label("To", exact=True).fill("2026-10-03")
    overview.get_by_role("button", name="Show", exact=True).click()
    expect(overview).to_have_url(re.compile(r"\?window=custom&from=2026-10-01&to=2026-10-03$"))
    expect(overview.locator(".page-range")).to_contain_text("1 – 3 Oct 2026")
    value = gained("impressions", date(2026, 10, 1), date(2026, 10, 3))
    expect(impressions_card(overview)).to_contain_text(compact(value))


def test_a_range_that_runs_backwards_cannot_be_shown(overview: Page) -> None:
    overview.get_by_role("button", name="Custom period").click()
    overview.get_by_label("From", exact=True).fill("2026-10-03")
    overview.get_by_label("To", exact=True).fill("2026-10-01")
    expect(overview.get_by_text("The first day lies after the last.")).to_be_visible()
    expect(overview.get_by_role("button", name="Show", exact=True)).to_be_disabled()


def test_arrows_step_by_the_length_of_the_period_and_back(page: Page) -> None:
    page.goto("/?window=7d")
    expect(page.get_by_role("button", name="Next period", exact=True)).to_be_disabled()
    page.get_by_role("button", name="Previous period", exact=True).click()
    expect(page).to_have_url(re.compile("from=2026-11-09&to=2026-11-15"))
    page.get_by_role("button", name="Next period", exact=True).click()
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
    expect(page).to_have_url(re.compile(rf"\?accounts={world.PAGE.account_id}$"))
    value = gained("impressions", *days_back(30), [world.PAGE])
    expect(impressions_card(page)).to_contain_text(compact(value))
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Accounts: Harbour Robotics")).to_be_focused()


def test_the_freshness_badge_tells_the_age_of_each_account(overview: Page) -> None:
    overview.get_by_role("button", name=re.compile("^Freshness: Updated")).click()
    panel = overview.get_by_role("group", name=re.compile("^Freshness"))
    expect(panel.get_by_role("listitem")).to_have_count(2)
    expect(panel).to_contain_text("generation 1")


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
    post = world.POSTS["linkedin"][9]
    shown = overview.locator(f'[data-post="{post.name}"] [data-label="Published"]')
    local = post.published_at.astimezone(world.ZONE)
    expect(shown).to_have_attribute("title", re.compile(f"{local:%H:%M}$"))
    expect(overview.get_by_text("Days as in Europe/Berlin.")).to_be_visible()
