"""Studies in a browser: from a chart to the capability of its measure, and back to what was found."""

from __future__ import annotations

import pytest

from helpers.charted_house import charted_house
from helpers.served_browser import signed_in


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A server with a process that can be studied."""
    with charted_house(tmp_path_factory.mktemp("studied")) as found:
        yield found


@pytest.fixture
def page(chromium, house):
    """The browser there, as an admin."""
    with signed_in(chromium, house) as found:
        yield found


def test_a_measure_is_studied_from_its_chart(page):
    page.open("/control/chart?measure=length")
    page.click("a.button[href^='/studies/new']").settle()
    assert page.find("[name=measure]").get_attribute("value") == "length"
    page.find("[name=lsl]").send_keys("49.5")
    page.find("[name=usl]").send_keys("50.6")
    page.click("form .main")
    page.until(lambda: page.all(".figures svg"), "the study")
    assert page.text("h1").startswith("Cpk is")
    assert page.faults() == []
    page.look("phone").settle()
    assert not page.scrolls_sideways()
    page.look()
    found = page.text("h1")
    assert found in page.open("/studies").text(".found")


def test_what_is_missing_is_said_in_the_form(page):
    page.open("/studies/new?study=capability")
    page.expected = ("422",)
    page.script("document.querySelector('[name=lsl]').type = 'text'")
    page.find("[name=lsl]").send_keys("far")
    page.click("form .main")
    page.until(lambda: "expected a number" in page.text("form .problem"), "what is wrong")
