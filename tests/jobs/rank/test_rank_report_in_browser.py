"""The report as a person sees it: in a browser, without a network, light and dark."""

import pytest

from flawline.cli.main import run
from helpers.browser import browser
from helpers.networks import write_network
from helpers.pictures import parts

LOADED = "return [...document.images].every(i => i.complete && i.naturalWidth > 0)"
WIDER = "return document.documentElement.scrollWidth > document.documentElement.clientWidth"
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
        assert len(page.find_elements("css selector", "article.card")) == 10
        assert len(page.find_elements("css selector", ".frames img")) == 20
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
