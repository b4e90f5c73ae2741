"""A person without labels: drops a zip, sees the bad castings first, marks, and learns from the good ones."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

import pytest

from helpers.castings_zip import castings_zip
from helpers.full_house import served_empty
from helpers.served_browser import ServedPage, signed_in

GOOD, BAD = 24, 3
READY = "[data-ranking][data-ready]"
DROP = """
const [css, name, data] = arguments;
const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));
const files = new DataTransfer();
files.items.add(new File([bytes], name));
const about = {dataTransfer: files, bubbles: true, cancelable: true};
document.querySelector(css).dispatchEvent(new DragEvent("drop", about));
"""
CHOOSE = """
const [field, value] = arguments;
const select = document.querySelector(`[data-field=${field}]`);
select.value = value;
select.dispatchEvent(new Event("input", {bubbles: true}));
"""
FORGET = """
const address = '/api/rank/' + document.querySelector('[data-ranking]').dataset.ranking;
import('/static/api.js').then(async api => {
  const now = await api.call('GET', address + '/marks');
  await api.call('PUT', address + '/marks', {marks: Object.fromEntries(Object.keys(now).map(n => [n, '']))});
})
"""
SHOWN = """
return [...document.querySelectorAll(".rank-card:not([hidden])")]
  .sort((a, b) => a.dataset.index - b.dataset.index)
  .map(card => [card.dataset.name, card.dataset.mark])
"""


def drop(page: ServedPage, css: str, path: Path) -> None:
    """Drop a file on an element."""
    page.script(DROP, css, path.name, base64.b64encode(path.read_bytes()).decode())


def shown(page: ServedPage) -> list[list[str]]:
    """Names and marks of the cards that exist, in their order."""
    return list(page.script(SHOWN))


def marked(page: ServedPage, mark: str) -> set[str]:
    """Names of the cards with a mark."""
    return {name for name, own in shown(page) if own == mark}


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Any:
    """A page at a ranking of drawn castings that were dropped as a zip, and the names of the bad ones."""
    folder = tmp_path_factory.mktemp("ranked")
    path, bad = castings_zip(folder / "castings", good=GOOD, bad=BAD)
    with served_empty(folder) as house, signed_in(chromium, house) as page:
        page.open("/rank")
        drop(page, "[data-drop]", path)
        page.until(lambda: "/rank/" in page.driver.current_url, "the ranking")
        deadline = time.monotonic() + 120
        while not page.all(READY) and time.monotonic() < deadline:
            time.sleep(0.1)
        yield page, bad


@pytest.fixture
def ranking(ranked: Any) -> Any:
    """The ranking without marks, in its usual view."""
    page, bad = ranked
    page.look().driver.get(page.driver.current_url.split("?")[0])
    page.until(lambda: page.all(READY), "the sheet")
    page.script(FORGET)
    page.until(lambda: marks_on_server(page) == {}, "the marks to go")
    page.driver.refresh()
    page.until(lambda: page.all(READY), "the sheet")
    page.until(lambda: shown(page), "cards")
    return page, bad


def marks_on_server(page: ServedPage) -> dict[str, str]:
    """The marks as the server has them."""
    from flawline.server.routes.rank import marks_of

    number = page.driver.current_url.split("/rank/")[1].split("?")[0]
    return marks_of(page.house.state.jobs.place(number))


def keys(page: ServedPage, *names: str) -> None:
    """Press named keys, or letters."""
    from selenium.webdriver.common.keys import Keys

    page.press(*(getattr(Keys, name, name) for name in names))


def test_the_bad_ones_come_first(ranking: Any) -> None:
    page, bad = ranking
    first = [name for name, _ in shown(page)][: BAD + 2]
    assert bad <= set(first)
    assert page.text("h1") == f"{GOOD + BAD} pictures, the most anomalous first."


def test_marks_by_key_range_and_undo_reach_the_server(ranking: Any) -> None:
    page, _ = ranking
    names = [name for name, _ in shown(page)]
    keys(page, "ARROW_RIGHT", "b")
    page.until(lambda: marks_on_server(page) == {names[0]: "bad"}, "the first mark")
    assert page.find("[data-panel] h2").text.endswith(names[0])
    cards = page.all(".rank-card")
    by_name = {card.get_attribute("data-name"): card for card in cards}
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    by_name[names[2]].find_element("css selector", "img").click()
    target = by_name[names[5]].find_element("css selector", "img")
    ActionChains(page.driver).key_down(Keys.SHIFT).click(target).key_up(Keys.SHIFT).perform()
    assert page.text("[data-selection] strong") == "4 selected"
    keys(page, "g")
    page.until(lambda: marked(page, "good") == set(names[2:6]), "the range")
    page.until(lambda: list(marks_on_server(page).values()).count("good") == 4, "its marks")
    assert page.text("[data-learn]") == "Learn from the 4 good ones →"
    keys(page, "u")
    page.until(lambda: marks_on_server(page) == {names[0]: "bad"}, "the undoing")
    assert marked(page, "good") == set()


def test_all_like_one_are_selected_by_their_features(ranking: Any) -> None:
    page, _ = ranking
    keys(page, "ARROW_RIGHT", "l")
    page.until(lambda: page.text("[data-selection] strong") == "13 selected", "the selection")
    page.click("[data-fewer]")
    page.until(lambda: page.text("[data-selection] strong") == "7 selected", "fewer")
    chosen = {
        one.get_attribute("data-name") for one in page.all(".rank-card.selected:not([hidden])")
    }
    number = page.driver.current_url.split("/rank/")[1].split("?")[0]
    from flawline.server.routes.rank import like, sheet

    rows = sheet(number, page.house.state, None)["pictures"]
    nearest = like(number, 1, page.house.state, None, 6)["like"]
    expected = {rows[0]["image"], *(rows[one["rank"] - 1]["image"] for one in nearest)}
    # Cards far below the window do not exist.
    assert chosen == expected & {name for name, _ in shown(page)}
    assert len(chosen) > 3
    keys(page, "ESCAPE")
    page.until(lambda: not page.all(".rank-card.selected:not([hidden])"), "none selected")


def test_the_address_names_what_is_shown(ranking: Any) -> None:
    page, _ = ranking
    keys(page, "ARROW_RIGHT", "b")
    page.script(CHOOSE, "mark", "bad")
    page.until(lambda: len(shown(page)) == 1, "the filter")
    assert "mark=bad" in page.driver.current_url
    page.driver.refresh()
    page.until(lambda: page.all(READY), "the sheet")
    page.until(lambda: len(shown(page)) == 1, "the filter again")
    page.script(CHOOSE, "mark", "good")
    assert "No picture fits these filters." in page.text("[data-none]")
    page.click("[data-reset]")
    page.until(lambda: len(shown(page)) > 10, "all again")


def test_the_map_selects_by_lasso(ranking: Any) -> None:
    page, _ = ranking
    from selenium.webdriver.common.action_chains import ActionChains

    keys(page, "m")
    canvas = page.find("[data-map] canvas")
    wide, high = canvas.size["width"], canvas.size["height"]
    page.script("arguments[0].scrollIntoView({block: 'end'})", canvas)
    drag = ActionChains(page.driver).move_to_element_with_offset(
        canvas, 2 - wide // 2, 2 - high // 2
    )
    drag.click_and_hold()
    for right, down in ((wide - 5, 0), (0, high - 5), (5 - wide, 0), (0, 5 - high)):
        drag.move_by_offset(right, down)
    drag.release().perform()
    page.until(lambda: page.all("[data-selection] strong"), "a selection")
    assert page.text("[data-selection] strong") == f"{GOOD + BAD} selected"
    keys(page, "g")
    page.until(lambda: len(marks_on_server(page)) == GOOD + BAD, "the marks")


def test_a_mark_that_does_not_arrive_is_taken_back_and_said(ranking: Any) -> None:
    page, _ = ranking
    page.expected = ("ERR_INTERNET_DISCONNECTED",)
    page.driver.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    try:
        keys(page, "ARROW_RIGHT", "b")
        page.until(lambda: "cannot be reached" in page.text(".notice"), "the notice")
        assert marked(page, "bad") == set()
    finally:
        online = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", online)
    assert marks_on_server(page) == {}


def test_the_pages_are_accessible_and_fit_a_phone(ranking: Any) -> None:
    page, _ = ranking
    keys(page, "ARROW_RIGHT")
    page.until(lambda: page.all("[data-panel] .rank-like button"), "the panel")
    for dark in (False, True):
        page.look(dark=dark)
        assert page.faults() == []
    keys(page, "m")
    assert page.faults() == []
    page.look("phone").driver.refresh()
    page.until(lambda: page.all(READY), "the sheet")
    assert not page.scrolls_sideways()


def test_it_goes_on_to_a_recipe_that_judges(ranking: Any) -> None:
    page, bad = ranking
    names = [name for name, _ in shown(page)]
    for name in names[: BAD + 2]:
        keys(page, "ARROW_RIGHT")
        if name in bad:
            keys(page, "b")
    page.until(lambda: len(marks_on_server(page)) == BAD, "the bad ones")
    page.click("[data-others]")
    page.until(lambda: len(marks_on_server(page)) == GOOD + BAD, "all marks")
    page.click("[data-learn]")
    page.until(lambda: "/train?ranking=" in page.driver.current_url, "the training")
    assert page.text("h1") == (
        f"Learn from the {GOOD} good ones of castings.zip and measure on the {BAD} bad ones."
    )
    page.find("[name=part]").send_keys("drawn casting")
    page.script("document.querySelector('[name=effort]').value = 'none'")
    page.click("[data-train] button.main")
    page.until(lambda: "/train/" in page.driver.current_url, "the job")
    page.until(lambda: page.all("[data-activate-training]"), "the recipe that was learnt")
    assert "known bad parts" in page.text("h1")
    page.click("[data-activate-training]")
    page.until(lambda: "/recipes/" in page.driver.current_url, "the recipe")
    assert page.text("h1").startswith("drawn casting: ")
    assert page.house.state.products.names() == ("drawn casting",)
