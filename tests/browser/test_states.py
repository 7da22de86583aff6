"""What the dashboard says when there is nothing to show: each reason has words and a way out."""

import re

from playwright.sync_api import Page, Route, expect

from api import schemas as s

from . import canned

OVERVIEW = "**/api/analytics/overview*"
SESSION = "**/api/session"


def answer_with(page: Page, path: str, model: s.Model, status: int = 200) -> None:
    """Lets the API give this answer at this path."""
    kind = "application/json" if status < 400 else "application/problem+json"
    body = model.model_dump_json(by_alias=True)
    page.route(path, lambda route: route.fulfill(status=status, content_type=kind, body=body))


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
    page.get_by_role("button", name="Show 24 Oct – 22 Nov 2026").click()
    expect(page).to_have_url(re.compile("from=2026-10-24&to=2026-11-22"))
    expect(page.locator('[data-card="Total Impressions"]')).to_be_visible()


def test_before_the_first_collection_it_says_how_to_collect(page: Page) -> None:
    answer = canned.overview({}, []).model_copy(update={"as_of": None, "is_empty": True})
    answer_with(page, OVERVIEW, answer)
    page.goto("/")
    assert "make refresh" in state(page, "nothing-yet")


def test_without_an_account_it_says_how_to_get_one(page: Page) -> None:
    answer_with(page, SESSION, canned.session([]))
    page.goto("/")
    words = state(page, "no-account")
    assert "nexus connect linkedin" in words
    assert "nexus import" in words


def test_signed_out_it_says_where_links_come_from(page: Page, complaints: list[str]) -> None:
    refusal = problem(401, "Not signed in", "No session and no API key came along.")
    answer_with(page, SESSION, refusal, 401)
    answer_with(page, OVERVIEW, refusal, 401)
    page.goto("/")
    assert "nexus link" in state(page, "signed-out")
    expect(page.get_by_role("button", name=re.compile("^Signed in as"))).to_have_count(0)
    complaints.clear()  # the browser reports each 401 on its own


def test_an_error_shows_the_problem_and_can_be_tried_again(
    page: Page, complaints: list[str]
) -> None:
    answer_with(page, OVERVIEW, problem(503, "Nothing published", "No generation yet."), 503)
    page.goto("/")
    words = state(page, "error")
    assert "Nothing published" in words
    assert "No generation yet." in words
    page.unroute(OVERVIEW)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator('[data-card="Total Impressions"]')).to_be_visible()
    complaints.clear()  # the browser reports each 503 on its own


def test_a_server_that_is_gone_is_named_as_such(page: Page, complaints: list[str]) -> None:
    page.route(OVERVIEW, lambda route: route.abort())
    page.goto("/")
    assert "cannot be reached" in state(page, "error")
    complaints.clear()


def test_an_answer_that_is_no_json_is_an_error_too(page: Page, complaints: list[str]) -> None:
    def gateway(route: Route) -> None:
        route.fulfill(status=502, content_type="text/html", body="<h1>Bad gateway</h1>")

    page.route(OVERVIEW, gateway)
    page.goto("/")
    assert "502" in state(page, "error")
    complaints.clear()


def test_unknown_figures_are_dashes_and_never_zero(page: Page) -> None:
    answer = canned.overview({}, [])
    unknown = s.CountCard(
        value=None,
        observed=None,
        from_history=None,
        previous_observed=None,
        change=s.Change(
            state="n/a",
            reason="not connected yet",
            percent=None,
            points=None,
            direction=None,
            greyed=False,
        ),
    )
    cards = answer.cards.model_copy(update={"impressions": unknown})
    answer_with(page, OVERVIEW, answer.model_copy(update={"cards": cards}))
    page.goto("/")
    card = page.locator('[data-card="Total Impressions"]')
    expect(card.locator(".card-value")).to_have_text("–")
    card.get_by_role("button", name="Change not available").focus()
    expect(card.get_by_text("was not connected yet")).to_be_visible()


def test_a_stale_account_is_counted_in_the_badge(page: Page) -> None:
    answer = canned.overview({}, [])
    stale = answer.accounts[1].model_copy(update={"stale": True})
    answer_with(
        page, OVERVIEW, answer.model_copy(update={"accounts": [answer.accounts[0], stale]})
    )
    page.goto("/")
    expect(page.get_by_role("button", name=re.compile("1 of 2 behind"))).to_be_visible()


def test_sign_out_ends_the_session(page: Page, complaints: list[str]) -> None:
    page.goto("/")
    page.get_by_role("button", name="Signed in as mira").click()
    refusal = problem(401, "Not signed in", "Signed out.")
    with page.expect_request(lambda request: request.method == "DELETE"):
        page.route(OVERVIEW, lambda route: route.abort())
        answer_with(page, OVERVIEW, refusal, 401)
        page.get_by_role("button", name="Sign out").click()
    state(page, "signed-out")
    complaints.clear()
