"""The line and the review as people use them."""

from __future__ import annotations

from helpers.discs import disc, spoilt
from helpers.full_house import png, served_house
from helpers.served_browser import signed_in


def test_a_part_appears_by_itself_is_held_and_overruled(chromium, tmp_path, disc_recipe):
    from flawline.data.frame import Frame
    from flawline.server.routes.inspect import judge

    def comes(number, pixels):
        judge(house.state, "disc", Frame(png(pixels), f"{number}.png", part=f"new {number}"))
        house.state.products.get("disc").station.flush()

    with served_house(tmp_path, disc_recipe) as house, signed_in(chromium, house) as page:
        page.open("/")
        comes(1, spoilt(900))
        page.until(lambda: "new 1" in page.text(".live"), "the new part")
        assert "REJECT" in page.text(".live .verdict")
        page.press("p")
        comes(2, disc(901))
        page.until(lambda: "the line has gone on" in page.text("[data-sentence]"))
        assert "new 1" in page.text(".live")
        page.press("o")
        page.find("dialog[open] input").send_keys("a reflection")
        page.click("dialog[open] .accept")
        page.until(lambda: "new 2" in page.text(".live"), "the line to go on")
        kept = next(one for one in house.state.store.page().items if one.record.part == "new 1")
        assert [(one.verdict, one.why) for one in kept.decisions] == [("accept", "a reflection")]
        page.find("[data-alerts] input").send_keys("a new lamp")
        page.click("[data-acknowledge]")
        page.until(lambda: not page.all("[data-alerts]"), "the alert to go")
        acknowledged = house.state.store.alerts.list()[0].acknowledgements[0]
        assert (acknowledged.who, acknowledged.note) == ("admin", "a new lamp")


def test_the_wall_is_readable_from_four_metres(page):
    page.look("wall").open("/").press("w")
    page.until(lambda: "wall=1" in page.driver.current_url)
    # A letter of 1/200 of the distance, 20 mm, is 72 px of a screen with 0.28 mm each; capitals are 0.7 of the size.
    size = "return parseFloat(getComputedStyle(document.querySelector(arguments[0])).fontSize)"
    assert page.script(size, ".verdict.big") * 0.7 > 72
    assert page.script(size, ".yield strong") * 0.7 > 72
    assert not page.scrolls_sideways()
    seen = page.script("return document.querySelector('.live').getBoundingClientRect().bottom")
    assert seen <= 1080


def test_every_hour_and_every_point_is_a_door(page):
    page.open("/")
    hours = page.all(".hours a")
    assert len(hours) == 1
    hours[0].click()
    page.until(lambda: "/records?" in page.driver.current_url)
    assert len(page.settle().all(".card")) == 28
    page.open("/")
    assert len(page.all(".scores a")) == 28


def test_ten_keys_settle_the_doubtful_parts(chromium, tmp_path, disc_recipe):
    with served_house(tmp_path, disc_recipe) as house, signed_in(chromium, house) as page:
        waiting = [one.id for one in house.state.store.page(_review(), newest=False).items]
        assert len(waiting) == 4
        page.open("/review")
        page.until(lambda: len(page.all("[data-part]:not([hidden]) [data-viewer]")) == 2)
        # The good part beside it follows: zoomed at the same place.
        shown = "document.querySelectorAll('[data-part]:not([hidden]) [data-viewer]')"
        zoom = f"return [...{shown}].map(figure => figure.viewer.view())"
        page.script("document.querySelector('[data-viewer]').focus()")
        page.press("+", "+", "\ue012")
        one, other = page.script(zoom)
        assert one["zoom"] > 1.5
        assert all(abs(one[name] - other[name]) < 1e-6 for name in one)
        page.press("r").until(lambda: "2 of 4" in page.text("h1"))
        page.press("u").until(lambda: "1 of 4" in page.text("h1"))
        page.press("a").until(lambda: "2 of 4" in page.text("h1"))
        page.press("n")
        page.driver.switch_to.active_element.send_keys("a scratch\ue007")
        page.press("r").until(lambda: "3 of 4" in page.text("h1"))
        page.press("s", "a")
        page.until(lambda: page.find("[data-end]"), "the end")
        page.until(lambda: "1 of 1" in page.text("h1"), "the skipped one")
        decided = [house.state.store.get(number).decisions for number in waiting]
        assert [[one.verdict for one in own] for own in decided] == [
            ["accept"],
            ["reject"],
            [],
            ["accept"],
        ]
        assert decided[1][0].why == "a scratch"
        page.press("b").until(lambda: "is hidden" in page.text())
        assert not page.all("[data-review] .heat")
        assert "REVIEW" not in page.text("[data-review]")


def test_a_second_person_decides_blind_and_may_disagree(chromium, tmp_path, disc_recipe):
    with served_house(tmp_path, disc_recipe) as house, signed_in(chromium, house) as page:
        page.open("/review")
        page.click("a[href='/review?second=1']")
        page.until(lambda: "look at blind" in page.text("h1"))
        assert "reflection" not in page.text()
        page.press("r")
        page.until(lambda: "All of these" in page.text("[data-end]"), "the end")
        page.until(lambda: "Nothing to settle" in page.text(), "the decision to be sent")
        page.open("/review/disagreements")
        assert "1 part" in page.text("h1")
        assert "eva" in page.text()
        assert "admin" in page.text()


def _review():
    from flawline.records.where import Where

    return Where(verdict=("review",))
