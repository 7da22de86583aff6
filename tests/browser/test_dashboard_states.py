"""What the dashboard says when there is nothing to show: each reason has words and a way out."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import world
from playwright.sync_api import BrowserContext, Page, Route, expect

from api import schemas as s

OVERVIEW = "**/api/analytics/overview*"
SESSION = "**/api/session"


Json = dict[str, Any]


def change(page: Page, path: str, model: type[s.Model], edit: Callable[[Json], None]) -> None:
    """Edits the API's answers at this path; what comes out must still be an answer of the API."""

    def edited(route: Route) -> None:
        body = route.fetch().json()
        edit(body)
        model.model_validate(body)
        route.fulfill(json=body)

    page.route(path, edited)


def refuse(page: Page, path: str, refusal: s.Problem) -> None:
    """Lets the API answer with a problem."""
    kind, body = "application/problem+json", refusal.model_dump_json()
    page.route(
        path, lambda route: route.fulfill(status=refusal.status, content_type=kind, body=body)
    )


def problem(status: int, title: str, detail: str) -> s.Problem:
    """A problem as every route of the API gives it."""
    return s.Problem(
        type="about:blank",
        title=title,
        status=status,
        detail=detail,
        instance="/api/analytics/overview",
        errors=[],
    )


def state(page: Page, kind: str) -> str:
    """The words of the empty state of this kind, once it is there."""
    place = page.locator(f'[data-empty="{kind}"]')
    place.wait_for()
    return place.inner_text()


def test_an_empty_period_offers_the_newest_one_with_data(page: Page) -> None:
    page.goto("/?window=custom&from=2020-01-01&to=2020-01-10")
    assert "1 – 10 Jan 2020" in state(page, "no-data")
    page.get_by_role("button", name="Show 13 – 22 Nov 2026").click()
    expect(page).to_have_url(re.compile("from=2026-11-13&to=2026-11-22"))
    expect(page.locator('[data-card="Total Impressions"]')).to_be_visible()


def test_before_the_first_collection_it_says_how_to_collect(page: Page) -> None:
    change(page, OVERVIEW, s.OverviewAnswer, lambda body: body.update(as_of=None, is_empty=True))
    page.goto("/")
    assert "make refresh" in state(page, "nothing-yet")


def test_before_the_first_publication_it_says_how_to_begin(
    page: Page, complaints: list[str]
) -> None:
    unpublished = {"accounts": [], "generation": None, "published_at": None, "as_of": None}
    change(page, SESSION, s.SessionAnswer, lambda body: body.update(unpublished))
    refuse(page, OVERVIEW, problem(503, "Service Unavailable", "Nothing is published yet."))
    page.goto("/")
    assert "make import" in state(page, "nothing-yet")
    complaints.append(world.PROVOKED)


def test_without_an_account_it_says_how_to_get_one(page: Page) -> None:
    change(page, SESSION, s.SessionAnswer, lambda body: body.update(accounts=[]))
    page.goto("/")
    words = state(page, "no-account")
    assert "nexus connect linkedin" in words
    assert "make import" in words


def test_a_one_time_link_signs_in_and_works_once(
    stranger: BrowserContext, installation: world.Installation
) -> None:
    link = installation.link()
    page = stranger.new_page()
    page.goto(link)
    expect(page.locator('[data-card="Total Impressions"]')).to_be_visible()
    assert "login" not in page.url
    stranger.clear_cookies()
    page.goto(link)
    assert "used or has expired" in state(page, "signed-out")


def test_signed_out_it_says_where_links_come_from(stranger: BrowserContext) -> None:
    page = stranger.new_page()
    page.goto("/")
    assert "nexus link" in state(page, "signed-out")
    expect(page.get_by_role("button", name=re.compile("^Signed in as"))).to_have_count(0)


def test_sign_out_ends_the_session(page: Page, complaints: list[str]) -> None:
    page.goto("/")
    page.get_by_role("button", name="Signed in as mira@example.org").click()
    page.get_by_role("button", name="Sign out").click()
    state(page, "signed-out")
    page.reload()
    state(page, "signed-out")
    complaints.append(world.PROVOKED)


def test_an_error_shows_the_problem_and_can_be_tried_again(
    page: Page, complaints: list[str]
) -> None:
    refuse(page, OVERVIEW, problem(503, "Service Unavailable", "No generation yet."))
    page.goto("/")
    words = state(page, "error")
    assert "Service Unavailable" in words
    assert "No generation yet." in words
    page.unroute(OVERVIEW)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator('[data-card="Total Impressions"]')).to_be_visible()
    complaints.append(world.PROVOKED)


def test_a_server_that_is_gone_is_named_as_such(page: Page, complaints: list[str]) -> None:
    page.route(OVERVIEW, lambda route: route.abort())
    page.goto("/")
    assert "cannot be reached" in state(page, "error")
    complaints.append(world.PROVOKED)


def test_an_answer_that_is_no_json_is_an_error_too(page: Page, complaints: list[str]) -> None:
    def gateway(route: Route) -> None:
        route.fulfill(status=502, content_type="text/html", body="<h1>Bad gateway</h1>")

    page.route(OVERVIEW, gateway)
    page.goto("/")
    assert "502" in state(page, "error")
    complaints.append(world.PROVOKED)


def test_unknown_figures_are_dashes_and_never_zero(page: Page) -> None:
    def forget(body: Json) -> None:
        card = body["cards"]["impressions"]
        card.update(value=None, observed=None, from_history=None, previous_observed=None)
        card["change"].update(state="n/a", reason="not connected yet", direction=None, percent=None)

    change(page, OVERVIEW, s.OverviewAnswer, forget)
    page.goto("/")
    card = page.locator('[data-card="Total Impressions"]')
    expect(card.locator(".card-value")).to_have_text("–")
    card.get_by_role("button", name="Change not available").focus()
    expect(card.get_by_text("was not connected yet")).to_be_visible()


@pytest.mark.parametrize(
    ("change_of", "shown", "said"),
    [
        ({"state": "new", "percent": None, "direction": "up"}, "new", "Previous period"),
        ({"state": "no change", "percent": 0.0, "direction": "flat"}, "no change", "Previous"),
        ({"percent": -12.5, "direction": "down", "greyed": False}, "-12.5%", "Previous"),
        ({"percent": 250.0, "direction": "up", "greyed": True}, "+250.0%", "Too few engagements"),
    ],
)
def test_each_kind_of_change_has_its_own_words(
    page: Page, change_of: Json, shown: str, said: str
) -> None:
    def rewrite(body: Json) -> None:
        body["cards"]["impressions"]["change"].update(change_of)

    change(page, OVERVIEW, s.OverviewAnswer, rewrite)
    page.goto("/")
    trigger = page.locator('[data-card="Total Impressions"] .change')
    expect(trigger).to_have_text(re.compile(re.escape(shown)))
    trigger.focus()
    expect(page.get_by_role("tooltip").filter(has_text=said)).to_be_visible()


def test_no_platform_is_called_best_without_enough_data(page: Page) -> None:
    def thin_out(body: Json) -> None:
        body["cards"]["best_platform"].update(platform=None, state="not enough data")

    change(page, OVERVIEW, s.OverviewAnswer, thin_out)
    page.goto("/")
    card = page.locator('[data-card="Best Performing Platform"]')
    expect(card.locator(".card-value")).to_have_text("–")
    expect(card).to_contain_text("not enough data")


def test_a_stale_account_is_counted_in_the_badge(page: Page) -> None:
    change(page, OVERVIEW, s.OverviewAnswer, lambda body: body["accounts"][1].update(stale=True))
    page.goto("/")
    expect(page.get_by_role("button", name=re.compile("1 of 2 behind"))).to_be_visible()
