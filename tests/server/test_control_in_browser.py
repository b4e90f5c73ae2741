"""Charts in a browser: the pictures behind a point, counted in clicks; causes; keys."""

from __future__ import annotations

import pytest

from helpers.charted_house import ODD, charted_house
from helpers.served_browser import signed_in


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A server whose charts show signals."""
    with charted_house(tmp_path_factory.mktemp("charted")) as found:
        yield found


@pytest.fixture
def page(chromium, house):
    """The browser there, as an admin."""
    with signed_in(chromium, house) as found:
        yield found


def shown(page):
    return page.script("return document.querySelector('#point h2')?.textContent ?? ''")


def test_the_pictures_behind_a_signal_are_two_clicks_away(page):
    page.open("/")
    page.click("nav a[href='/control']").settle()
    assert "Part 0030 is above the upper limit" in page.text("h1")
    page.click("a.button.main").settle()
    assert page.text("#point h2").startswith("0030")
    source = page.find("#point .picture").get_attribute("src")
    assert source.endswith(f"/api/records/{ODD + 1}/picture")
    assert page.script("return document.querySelector('#point .picture').naturalWidth") > 0


def test_a_click_near_a_point_shows_its_pictures_and_names_it_in_the_address(page):
    page.open("/control/chart?measure=length")
    page.click("[data-chart] a[data-point='12']")
    page.until(lambda: shown(page).startswith("0012"), "the point")
    assert "point=13" in page.driver.current_url
    page.press("\ue014")
    page.until(lambda: shown(page).startswith("0013"), "the next point by the arrow key")
    page.driver.back()
    page.until(lambda: shown(page).startswith("0012"), "the point before")
    page.open(page.driver.current_url.removeprefix(page.house.address))
    assert page.text("#point h2").startswith("0012")


def test_a_cause_is_noted_with_a_key_and_taken_back(page):
    page.open("/control/chart?measure=score")
    page.click("[data-chart] a[data-point='30']")
    page.press("c")
    field = "return document.activeElement.name"
    page.until(lambda: page.script(field) == "text", "the field of the cause")
    page.press(*"dropped", "\ue007")
    page.until(lambda: "known cause" in page.text("h1"), "the finding without it")
    assert "Cause: dropped" in page.text("#point")
    page.click("[data-undo]")
    page.until(lambda: "Part 0030 is above" in page.text("h1"), "the finding with it")


def test_a_point_is_set_aside_and_the_limits_follow(page):
    page.open("/control/chart?measure=score")
    before = page.text(".ends")
    page.find("#point [name=text]").send_keys("dropped")
    page.click("#point button[value='set aside']")
    page.until(lambda: page.all(".mark.aside"), "the mark of a point set aside")
    assert page.text(".ends") != before
    page.click("[data-undo]")
    page.until(lambda: not page.all(".mark.aside"), "the mark to go")


def test_an_alert_is_acknowledged_with_a_cause(page):
    page.open("/control")
    page.find(".alerts [name=note]").send_keys("new lamp")
    page.click(".alerts button")
    page.until(lambda: not page.all(".alerts li"), "the alert to go")
    assert "new lamp" in page.open("/control").text(".pareto")


def test_a_server_that_is_away_is_said(page):
    page.open("/control/chart?measure=length")
    page.expected = ("ERR_INTERNET_DISCONNECTED",)
    offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    try:
        page.click("[data-chart] a[data-point='12']")
        page.until(lambda: "cannot be reached" in page.text(".notice"), "the notice")
    finally:
        page.driver.execute_cdp_cmd(
            "Network.emulateNetworkConditions",
            {**offline, "offline": False, "downloadThroughput": -1, "uploadThroughput": -1},
        )
