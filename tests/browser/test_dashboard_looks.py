"""Light and dark, wide and narrow, by mouse and by keys: the page stays readable and operable."""

import time

import pytest
import world
from looks import HAS_RING, WATCH_SHIFTS, low_contrast, nameless, overflow
from playwright.sync_api import Page, Route, expect

VIEWS = {
    "overview": "/",
    "24 hours": "/?window=24h",
    "tables": "/platform/twitter?table=on",
    "empty": "/?window=custom&from=2020-01-01&to=2020-01-10",
    "platform": "/platform/linkedin",
    "post": f"/posts/{world.POSTS['twitter'][9].post_id}",
}


def settled(page: Page, path: str) -> Page:
    """The page once its numbers and its chart are there."""
    page.goto(path)
    page.locator(".cards button, .empty").first.wait_for()
    if "table" not in path and "custom" not in path:
        page.locator(".chart svg text").first.wait_for()
    return page


def darken(page: Page) -> None:
    """Dark, and the chart (if there is one) drawn anew in its colours."""
    label = page.locator(".chart svg text").first
    before = label.get_attribute("fill") if label.count() else None
    page.emulate_media(color_scheme="dark")
    if before:
        expect(label).not_to_have_attribute("fill", before)


@pytest.mark.parametrize("path", VIEWS.values(), ids=VIEWS)
def test_every_text_can_be_read_and_everything_operable_has_a_name(page: Page, path: str) -> None:
    settled(page, path)
    assert low_contrast(page) == []
    assert nameless(page) == []
    darken(page)
    assert low_contrast(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_open_panels_can_be_read_too(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    settled(page, "/")
    for selector in (".freshness", ".popover .button", ".segments .popover .segment"):
        page.locator(selector).first.click()
        assert low_contrast(page) == []
        page.keyboard.press("Escape")
    page.get_by_role("button", name="What is Total Impressions?").focus()
    page.keyboard.press("?")
    assert low_contrast(page) == []


@pytest.mark.parametrize("path", VIEWS.values(), ids=VIEWS)
def test_the_page_never_scrolls_sideways(page: Page, path: str) -> None:
    settled(page, path)
    for width in (1440, 1024, 820, 720, 390, 320):
        page.set_viewport_size({"width": width, "height": 844})
        assert overflow(page) == 0, f"at a width of {width}"


@pytest.mark.parametrize("width", [390, 320])
def test_panels_fit_on_a_phone(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    settled(page, "/")
    for selector in (".freshness", ".topbar .popover .button", ".segments .popover .segment"):
        page.locator(selector).first.click()
        box = page.locator(".popover-panel").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        page.keyboard.press("Escape")


def test_every_stop_of_the_tab_key_shows_where_it_is(page: Page) -> None:
    settled(page, "/")
    stops = 0
    while stops < 80:
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        stops += 1
        assert page.evaluate(HAS_RING), page.evaluate("document.activeElement.outerHTML")
    assert stops > 30


def test_the_first_tab_stop_skips_to_the_figures(page: Page) -> None:
    settled(page, "/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_the_theme_follows_the_system_until_one_is_chosen(page: Page) -> None:
    settled(page, "/")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(background)
    assert dark != light
    page.keyboard.press("t")
    assert page.evaluate(background) == light
    settled(page, "/?window=7d")
    assert page.evaluate(background) == light, "the choice survives a reload"
    page.get_by_role("button", name="Dark theme").click()
    assert page.evaluate(background) == dark


def test_the_chart_changes_with_the_theme(page: Page) -> None:
    settled(page, "/")
    expect(page.locator('.chart svg path[stroke="rgb(10, 102, 194)"]').first).to_be_attached()
    page.keyboard.press("t")
    expect(page.locator('.chart svg path[stroke="rgb(95, 176, 255)"]').first).to_be_attached()


def test_loading_moves_nothing(page: Page) -> None:
    def slowly(route: Route) -> None:
        time.sleep(0.4)
        route.continue_()

    page.route("**/api/**", slowly)
    page.add_init_script(WATCH_SHIFTS)
    settled(page, "/")
    page.wait_for_timeout(200)
    assert page.evaluate("window.shifts") < 0.01


def test_while_another_period_loads_the_old_figures_stay(page: Page) -> None:
    settled(page, "/")
    held: list[Route] = []
    page.route("**/api/analytics/overview*", lambda route: held.append(route))  # noqa: PLW0108  (Playwright takes Python functions only)
    page.keyboard.press("2")
    expect(page.locator(".is-stale .cards")).to_be_visible()
    for route in held:
        route.continue_()
    expect(page.locator(".is-stale")).to_have_count(0)
