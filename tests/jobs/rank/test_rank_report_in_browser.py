"""The report as a person sees it: in a browser, without a network, light and dark."""

import pytest

from flawline.cli.main import run
from helpers.browser import browser
from helpers.networks import write_network
from helpers.pictures import parts

LOADED = "return [...document.images].every(i => i.complete && i.naturalWidth > 0)"
WIDER = "return document.documentElement.scrollWidth > document.documentElement.clientWidth"
SMALL = """
return [...document.querySelectorAll("main *")]
  .filter(e => e.checkVisibility() && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
  .map(e => {
    const drawn = e.getScreenCTM ? Math.hypot(e.getScreenCTM().a, e.getScreenCTM().b) : 1;
    return [e.tagName, e.textContent, parseFloat(getComputedStyle(e).fontSize) * drawn];
  })
  .filter(([, , size]) => size < 9)
"""
INK = "return getComputedStyle(document.querySelector('figure svg text')).fill"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    root = tmp_path_factory.mktemp("report")
    parts(root / "parts")
    (root / "parts" / "good" / "broken.png").write_bytes(b"no picture")
    network = str(write_network(root / "small.onnx"))
    code = run(["rank", str(root / "parts"), "-o", str(root), "--backbone", network, "-q"])
    assert code == 2
    return root / "report.html"


def test_the_report_opens_with_every_picture_and_no_complaint(report):
    with browser() as page:
        page.get(report.as_uri())
        assert page.execute_script(LOADED)
        text = page.find_element("tag name", "main").text
        assert "2 of 2 defective within the top" in text
        assert "1 input could not be judged" in text
        # The ten most anomalous with their heat, and an ordinary one to compare with.
        assert len(page.find_elements("css selector", "article.card")) == 11
        assert len(page.find_elements("css selector", ".frames img")) == 21
        assert len(page.find_elements("css selector", "figure svg")) == 2
        assert [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"] == []
        page.find_elements("css selector", "summary")[-1].click()
        assert "good/part_0.png" in page.find_element("tag name", "main").text


def test_the_report_fits_a_telephone_and_follows_dark_mode(report):
    with browser() as page:
        page.get(report.as_uri())
        light = page.execute_script(INK)
        dark = {"name": "prefers-color-scheme", "value": "dark"}
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [dark]})
        assert page.execute_script(INK) != light
        size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
        page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        assert not page.execute_script(WIDER)
        seen = page.find_elements("css selector", "article.card:not([hidden])")
        assert len(seen) == 11
        tall = page.execute_script("return document.documentElement.scrollHeight")
        assert tall < 9000
        small = page.execute_script(SMALL)
        assert small == []


def test_heat_is_a_layer_and_a_picture_opens_beside_an_ordinary_one(report):
    with browser() as page:
        page.get(report.as_uri())

        def look(source):
            return page.execute_script(f"return {source}")

        opacity = 'getComputedStyle(document.querySelector(".layers img+img")).opacity'
        assert look(opacity) == "0.75"
        page.execute_script(
            "const s = document.querySelector('.tools input'); s.value = 20; s.dispatchEvent(new Event('input'))"
        )
        assert look(opacity) == "0.2"
        picture, heat = (
            look(
                f"document.querySelector('.layers:has(img+img) img{more}').getBoundingClientRect().toJSON()"
            )
            for more in ("", "+img")
        )
        assert picture == heat
        buttons = page.find_elements("css selector", ".tools button")
        assert [button.text for button in buttons] == ["all", "bad", "good"]
        buttons[1].click()
        shown = page.find_elements("css selector", "article.card:not([hidden]):not(.ordinary)")
        assert {card.get_attribute("data-kind") for card in shown} == {"bad"}
        shown[0].find_element("css selector", ".layers").click()
        assert len(page.find_elements("css selector", "dialog[open] .stage")) == 2
        assert "an ordinary part" in page.find_element("css selector", "dialog").text
        page.switch_to.active_element.send_keys("+")
        moved = look("[...document.querySelectorAll('dialog img')].map(i => i.style.transform)")
        assert len(set(moved)) == 1
        assert "scale(1.25)" in moved[0]
        assert [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"] == []
