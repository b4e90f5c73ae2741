"""Records in a browser: hundreds of them by scrolling, few elements at a time, and a part's report."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flawline.records.record import Record
from helpers.charted_house import START, charted_house
from helpers.served_browser import signed_in

MORE = 500


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A server with hundreds of records."""
    with charted_house(tmp_path_factory.mktemp("many")) as found:
        kept = found.state.store.page(count=1).items[0].record.picture
        times = (START - timedelta(minutes=1 + number) for number in range(MORE))
        found.state.store.add(
            [
                Record(image=f"{n}.png", judged=time, captured=time, verdict="accept", picture=kept)
                for n, time in enumerate(times)
            ]
        )
        yield found


@pytest.fixture
def page(chromium, house):
    """The browser there, as an admin."""
    with signed_in(chromium, house) as found:
        yield found


def names(page):
    return page.script(
        "return [...document.querySelectorAll('[data-list] .name, [data-list] a')].map(a => a.textContent)"
    )


@pytest.mark.parametrize("view", ["gallery", "table"])
def test_hundreds_of_records_come_by_scrolling_and_few_are_drawn(page, view):
    page.open(f"/records?view={view}")
    down = "scrollTo(0, document.documentElement.scrollHeight)"
    most = "return document.querySelector('[data-list]').children.length"
    drawn = []

    def at_the_end():
        page.script(down)
        drawn.append(page.script(most))
        return page.text("[data-state]").startswith("All")

    page.until(at_the_end, "the last record")
    assert page.text("[data-state]") == f"All {MORE + 80} are shown."
    page.until(
        lambda: page.script(down) or f"{MORE - 1}.png" in " ".join(names(page)), "the oldest one"
    )
    assert max(drawn) < 150
    page.script("scrollTo(0, 0)")
    page.until(lambda: "0079" in " ".join(names(page)), "the newest again")


def test_a_word_is_added_and_taken_away_by_a_click(page):
    page.open("/records")
    page.press("/", *"lot:L1", "\ue007").settle()
    page.until(lambda: "lot%3AL1" in page.driver.current_url, "the search")
    page.driver.find_element("link text", "Rejected").click()
    page.settle()
    assert page.text("h1").startswith("1 of the last 1 picture rejected")
    page.click(".chip.on").settle()
    assert "lot" not in page.driver.current_url


def test_a_part_is_printed(page):
    page.open("/part?name=0030")
    page.script("window.print = () => document.body.dataset.printed = 'yes'")
    page.click("[data-print]")
    assert page.script("return document.body.dataset.printed") == "yes"
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert not page.all(".bar")[0].is_displayed()
        assert page.all(".timeline .picture")[0].is_displayed()
        assert page.all(".print-only")[0].is_displayed()
    finally:
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_the_end_of_the_connection_is_said_and_tried_again(page):
    page.open("/records?view=table")
    page.expected = ("ERR_INTERNET_DISCONNECTED",)
    network = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**network, "offline": True})
    try:
        down = "scrollTo(0, document.documentElement.scrollHeight)"
        page.until(
            lambda: page.script(down) or "cannot be reached" in page.text("[data-state]"),
            "the text",
        )
    finally:
        page.driver.execute_cdp_cmd(
            "Network.emulateNetworkConditions", {**network, "offline": False}
        )
    page.click("[data-state] button")
    page.until(lambda: "cannot" not in page.text("[data-state]"), "more of them")
