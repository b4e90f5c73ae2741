"""The first start: three choices, a sample lot one click away, and the field that goes anywhere."""

from __future__ import annotations

import pytest

from flawline.cli.main import run
from flawline.server.work import sample_lot
from helpers.full_house import served_empty
from helpers.served_browser import signed_in


@pytest.mark.slow
def test_a_sample_lot_is_one_click_away(chromium, tmp_path, monkeypatch):
    # Fewer parts and a small network: it is about the way, not about what is found.
    monkeypatch.setattr(sample_lot, "GOOD", 20)
    monkeypatch.setattr(sample_lot, "SECOND", 10)
    with served_empty(tmp_path) as house, signed_in(chromium, house) as page:
        page.open("/")
        assert len(page.all(".choice")) == 3
        assert page.faults() == []
        page.click("[data-sample]")
        page.until(lambda: page.all("[data-job]"), "progress")
        page.until(lambda: page.all("[data-line]"), "the line", seconds=240)
        assert house.state.products.names() == (sample_lot.PRODUCT,)
        assert house.state.store.count() == 60
        assert len(house.state.jobs.list("rank")) == 1
        again = page.call("POST", "/api/sample")
        assert "is there" in again["error"]["message"]
        page.expected = ("422",)


def test_the_field_goes_to_parts_lots_and_pages(page, house):
    page.open("/records").press("k")
    page.find("dialog[open] input").send_keys("0027")
    page.until(lambda: "part" in page.text("#found"))
    page.press("\ue007")
    page.until(lambda: "/records/" in page.driver.current_url)
    assert page.text("h1") == "0027"
    page.press("k")
    page.find("dialog[open] input").send_keys("L2")
    page.until(lambda: "lot" in page.text("#found"))
    page.press("\ue007").until(lambda: "lot%3AL2" in page.driver.current_url)
    assert len(page.all(".card")) == 14
    page.press("k")
    page.find("dialog[open] input").send_keys("rec")
    page.until(lambda: len(page.all("#found li")) == 3)
    page.press("\ue015")
    page.until(lambda: page.all("#found-1[aria-selected=true]"), "the second to be chosen")
    page.press("\ue007").until(lambda: page.driver.current_url.endswith("/recipes"))
    assert "Line" in page.text("nav")
    page.press("?").until(lambda: "go to a part" in page.text("[data-keys]"))


@pytest.mark.parametrize("option", [["--lot", "20"], ["--json"], ["--seed", "3"]])
def test_options_that_do_nothing_with_serve_are_refused(option, capsys, tmp_path):
    assert run(["demo", "--serve", "-o", str(tmp_path), *option]) == 2
    printed = capsys.readouterr()
    assert f"leave {option[0]} out" in printed.out + printed.err


def test_a_port_without_serve_is_refused(capsys, tmp_path):
    assert run(["demo", "-o", str(tmp_path), "--port", "9000"]) == 2
    assert "--serve" in capsys.readouterr().err
