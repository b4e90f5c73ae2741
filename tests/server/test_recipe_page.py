"""An engineer drags a threshold, sees what changes, saves, undoes, and rolls a recipe back; a form writes the spec."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from helpers.discs import disc, faint, spoilt
from helpers.full_house import png, served_house
from helpers.served_browser import ServedPage, signed_in

FRESH = 9
READY = "[data-thresholds][data-ready]"
NUMBERS = re.compile(r"(\d+) of (\d+) good rejected")


@pytest.fixture
def page(chromium: Any, tmp_path: Path, disc_recipe: Path) -> Iterator[ServedPage]:
    """A house of its own: these tests change its recipe."""
    from flawline.data.frame import Frame
    from flawline.server.routes.inspect import judge

    with served_house(tmp_path, disc_recipe, fill=False) as house:
        for number in range(FRESH):
            pixels = (disc, faint, spoilt)[number % 3](500 + number)
            judge(house.state, "disc", Frame(png(pixels), f"{number}.png"))
        house.state.products.get("disc").station.flush()
        with signed_in(chromium, house) as found:
            yield found


def active(page: ServedPage) -> str:
    """The hash of the recipe that judges discs."""
    return str(page.house.state.products.get("disc").inspector.recipe.sha256)


def rejected(page: ServedPage) -> int:
    """The count of good parts rejected, as the page says it."""
    found = NUMBERS.search(page.text("[data-counts]").replace(" (was", "(was"))
    assert found, page.text("[data-counts]")
    return int(found[1])


def thresholds(page: ServedPage) -> ServedPage:
    page.open("/recipes/disc")
    page.until(lambda: page.all(READY), "the thresholds")
    page.script("document.querySelector('.histogram').scrollIntoView({block: 'center'})")
    return page


def drag(page: ServedPage, name: str, *, onto: str) -> None:
    """Drag a threshold onto the first bar of a selector."""
    from selenium.webdriver.common.action_chains import ActionChains

    handle, bar = page.find(f"[data-limit={name}] .reach"), page.all(onto)[0]
    actions = ActionChains(page.driver).click_and_hold(handle).move_to_element(bar)
    actions.release().perform()


def test_dragging_a_threshold_moves_the_counts_and_asks_the_records(page: ServedPage) -> None:
    thresholds(page)
    scores = page.call("GET", "/api/recipes/disc/scores")
    before = rejected(page)
    assert before == sum(row["score"] > scores["reject"] for row in scores["good"])
    drag(page, "reject", onto=".histogram .bar.good")
    assert float(page.find("[data-field=reject]").get_attribute("value")) < scores["reject"]
    assert rejected(page) > before
    words = page.until(lambda: page.text("[data-what-if-words]"), "the records")
    assert re.match(r"These \d+ of 9 verdicts would change: ", words)
    cards = page.all("[data-what-if] .card")
    assert len(cards) == int(words.split()[1])
    page.click("[data-back]")
    assert rejected(page) == before
    assert not page.all("[data-what-if-words]")


def test_arrows_change_one_part_at_a_time(page: ServedPage) -> None:
    from selenium.webdriver.common.keys import Keys

    thresholds(page)
    page.script("document.querySelector('[data-limit=reject]').focus()")
    counts = []
    for _ in range(12):
        page.press(Keys.ARROW_LEFT)
        counts.append(rejected(page))
    assert counts[-1] > counts[0]
    assert all(0 <= after - first <= 1 for first, after in pairwise(counts))


def test_a_change_is_saved_and_undone_with_one_click_each(page: ServedPage) -> None:
    thresholds(page)
    first = active(page)
    drag(page, "review", onto=".histogram .bar.good")
    page.click("[data-save]")
    page.until(lambda: "undo=" in page.driver.current_url, "the new version")
    assert active(page) != first
    assert "Version 2 judges disc now." in page.text(".undo-bar")
    page.click(".undo-bar button")
    page.until(lambda: active(page) == first, "the undoing")


def test_a_recipe_is_rolled_back_with_two_clicks_from_anywhere(page: ServedPage) -> None:
    first = active(page)
    made = page.call(
        "POST", "/api/recipes/disc/versions", {"recipe": first, "review": 1e6, "reject": 1e6}
    )
    assert active(page) == made["recipe"]
    page.open("/")
    page.click("nav a[href='/recipes']")
    page.click("[data-activate]")
    page.until(lambda: active(page) == first, "the first version")
    page.until(lambda: page.all(".undo-bar"), "the offer to undo")


def test_the_form_writes_the_specification_and_errors_stand_at_their_field(
    page: ServedPage,
) -> None:
    page.open("/recipes/disc/spec")
    page.until(lambda: page.all("[data-spec][data-ready]"), "the form")
    page.click("[data-add]")
    page.until(lambda: page.all(".clause [data-key=max]"), "the clause")
    field = page.find(".clause [data-key=max]")
    field.clear()
    field.send_keys("5 furlongs")
    page.until(lambda: page.all(".clause [data-key=max][aria-invalid=true]"), "the error")
    assert "expected a number with one of the units" in page.text(".row-problem")
    assert page.faults() == []
    field.clear()
    field.send_keys("1 px2")
    page.until(
        lambda: (
            'max = "1 px2"' in page.script("return document.querySelector('[data-text]').value")
        ),
        "the text",
    )
    words = page.until(lambda: page.text("[data-what-if-words]"), "the records")
    assert "of 9 verdicts would change" in words
    page.click("[data-save]")
    page.until(lambda: "undo=" in page.driver.current_url, "the new version")
    assert page.house.state.products.get("disc").inspector.spec is not None


def test_the_pages_fit_a_phone(page: ServedPage) -> None:
    page.look("phone")
    for path in ("/recipes", "/recipes/disc", "/recipes/disc/spec", "/compare", "/train", "/rank"):
        page.open(path)
        assert not page.scrolls_sideways(), path
