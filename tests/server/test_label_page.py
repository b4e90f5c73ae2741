"""Masks are drawn on the page as a person draws them: by mouse and key, offline too, and with two people at once."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from flawline.core.labelling.pieces import pieces_of
from flawline.jobs.label.mask_png import grey_png
from flawline.server.access import COOKIE
from flawline.server.credentials import digest, new_secret
from helpers.full_house import served_house
from helpers.label_sets import key, label_set, mark
from helpers.served_browser import signed_in

READY = "return document.querySelector('[data-label]').dataset.state === 'ready'"


@pytest.fixture(scope="module")
def labelling(chromium, tmp_path_factory, disc_recipe):
    folder = tmp_path_factory.mktemp("label-page")
    with served_house(folder, disc_recipe, fill=False) as house, signed_in(chromium, house) as page:
        yield page


@pytest.fixture
def page(labelling, tmp_path):
    """The browser, signed in as an admin at a server without sets; it looks away before the pictures are removed."""
    labelling.look().gather()
    labelling.complaints.clear()
    labelling.expected = ()
    try:
        yield labelling
        labelling.check()
    finally:
        online(labelling)
        # What a test has left to do is not for the next one.
        labelling.driver.get("about:blank")
        leave(labelling)
        labelling.gather().complaints.clear()


@pytest.fixture
def number(page, tmp_path):
    return label_set(page.house.state, tmp_path / "discs")


def open_set(page, number, query=""):
    page.open(f"/label/{number}{query}")
    return ready(page)


def ready(page):
    page.until(lambda: page.script(READY), "the picture")
    return page


def saved(page):
    page.until(lambda: page.text("[data-saved]") == "saved", "the mask to be saved")
    return page


def place(page, x, y):
    """Where a pixel of the picture lies on the screen."""
    return page.script(
        "const b = document.querySelector('[data-image]').getBoundingClientRect();"
        "return [b.left + (arguments[0] + 0.5) * b.width / 96, b.top + (arguments[1] + 0.5) * b.height / 96]",
        x,
        y,
    )


def drag(page, *points):
    """Press the mouse at the first pixel, move over the others, let go."""
    actions = ActionChains(page.driver, duration=20)
    pointer = actions.w3c_actions.pointer_action
    for at, point in enumerate(points):
        pointer.move_to_location(*map(round, place(page, *point)))
        if at == 0:
            pointer.pointer_down()
    pointer.pointer_up()
    actions.perform()
    return page


def click(page, *point):
    return drag(page, point)


def offline(page, away=True):
    page.driver.execute_cdp_cmd(
        "Network.emulateNetworkConditions",
        {"offline": away, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1},
    )


def online(page):
    offline(page, away=False)


def shown(page):
    """The classes of the pixels that the page shows, from the colours of its mask."""
    source = """
const c = document.querySelector("[data-mask]"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
const colours = JSON.parse(document.querySelector("[data-label]").dataset.known).colours;
const codes = colours.map((colour) => parseInt(colour.slice(1), 16));
const code = (k) => d[4 * k] * 65536 + d[4 * k + 1] * 256 + d[4 * k + 2];
const number = (k) => (d[4 * k + 3] ? 1 + codes.indexOf(code(k)) : 0);
return Array.from({length: c.width * c.height}, (_, k) => number(k));
"""
    return np.array(page.script(source), np.uint8).reshape(96, 96)


def leave(page):
    """Leave a page that asks whether one really wants to."""
    from selenium.common.exceptions import NoAlertPresentException

    try:
        page.driver.switch_to.alert.accept()
    except NoAlertPresentException:
        return


def test_a_scratch_is_one_stroke_and_one_key(page, number, tmp_path):
    open_set(page, number)
    assert page.text("[data-name]") == "images/part_0.png"
    # Counted for comparison with other tools: one drag of the mouse, one key.
    drag(page, (20, 30), (45, 36), (70, 48))
    saved(page)
    drawn = shown(page)
    page.press(Keys.ENTER)
    page.until(lambda: page.text("[data-name]") == "images/part_1.png", "the next picture")
    written = np.asarray(Image.open(tmp_path / "discs" / "masks" / "part_0.png"))
    np.testing.assert_array_equal(written, drawn)
    assert set(np.unique(written)) == {0, 1}
    assert written[30, 20] == written[36, 45] == written[48, 70] == 1
    assert written[60:].sum() == 0
    # 12 px wide.
    assert 10 <= (written[:, 45] == 1).sum() <= 14
    assert "To do (5)" in page.text("[data-queue]")


def test_undo_other_classes_and_a_reload(page, number, tmp_path):
    open_set(page, number)
    drag(page, (20, 30), (60, 30))
    page.press("2")
    drag(page, (30, 70), (70, 70))
    both = shown(page)
    assert set(np.unique(both)) == {0, 1, 2}
    page.press("z")
    assert set(np.unique(shown(page))) == {0, 1}
    page.press("Z")
    np.testing.assert_array_equal(shown(page), both)
    page.press("e")
    drag(page, (20, 30), (30, 30))
    drawn = shown(page)
    assert drawn[30, 25] == 0
    assert drawn[30, 50] == 1
    saved(page)
    page.open(f"/label/{number}?picture={key(0)}")
    ready(page)
    np.testing.assert_array_equal(shown(page), drawn)
    assert "draft by admin" in page.text("[data-facts]")
    rows = [row.text.split("\n") for row in page.all("[data-regions] li")]
    assert sorted(row[0] for row in rows) == ["scratch", "stain"]
    assert f"{(drawn == 2).sum()} px²" in page.text("[data-regions]")
    assert not (tmp_path / "discs" / "masks").exists()
    page.press(Keys.ENTER)
    page.until(lambda: page.text("[data-name]") == "images/part_1.png", "the next picture")
    written = np.asarray(Image.open(tmp_path / "discs" / "masks" / "part_0.png"))
    np.testing.assert_array_equal(written, drawn)


def test_polygon_fill_and_wand(page, number):
    open_set(page, number)
    page.press("p")
    for point in ((10, 10), (40, 10), (40, 30), (10, 30)):
        click(page, *point)
    page.press(Keys.ENTER)
    polygon = shown(page)
    assert polygon[20, 25] == 1
    assert polygon[12:28, 12:38].all()
    assert not polygon[33:].any()
    # A closed ring of the brush is filled with another class; an open place is refused.
    page.press("b")
    page.script("document.activeElement.blur()")
    for _ in range(6):
        page.press("[")
    drag(page, (60, 60), (80, 60), (80, 80), (60, 80), (60, 60))
    page.press("f", "2")
    click(page, 70, 70)
    filled = shown(page)
    assert filled[70, 70] == 2
    assert filled[60, 70] == 1
    click(page, 5, 90)
    assert "not closed" in page.text(".notice")
    np.testing.assert_array_equal(shown(page), filled)
    page.press("w", "1")
    click(page, 48, 45)
    page.until(lambda: shown(page)[45, 48] == 1, "the wand")
    saved(page)


def test_what_a_recipe_proposes_is_accepted_by_key(page, number):
    open_set(page, number, f"?picture={key(1)}&queue=all")
    page.press("g")
    page.until(lambda: page.all("[data-proposed] li"), "proposals")
    assert page.all(".overlay .proposal.now")
    count = len(page.all("[data-proposed] li"))
    page.press(Keys.TAB)
    for _ in range(count):
        page.press(Keys.ENTER)
    assert not page.all("[data-proposed] li")
    assert shown(page).any()
    saved(page)
    page.press("z")
    page.press("g")
    page.until(lambda: page.all("[data-proposed] li"), "proposals")
    page.press(Keys.DELETE)
    assert len(page.all("[data-proposed] li")) == count - 1
    saved(page)


def test_without_the_server_nothing_is_lost(page, number):
    page.expected = ("ERR_INTERNET_DISCONNECTED",)
    open_set(page, number)
    offline(page)
    drag(page, (20, 30), (60, 30))
    page.until(lambda: "offline" in page.text("[data-saved]"), "that it is offline")
    drawn = shown(page)
    # The page goes away before the server is back.
    page.driver.get("about:blank")
    leave(page)
    online(page)
    open_set(page, number)
    page.until(lambda: shown(page).any(), "what had not been saved")
    np.testing.assert_array_equal(shown(page), drawn)
    saved(page)
    found, _ = page.house.state.labels.get(number).mask(key(0))
    np.testing.assert_array_equal(found, drawn)


def test_two_people_at_one_picture_see_both_masks(page, number):
    page.expected = ("409",)
    store = page.house.state.labels.get(number)
    open_set(page, number)
    theirs = mark((2, 60, 60, 75, 80))
    store.save(key(0), grey_png(theirs), who="ben", base=0)
    drag(page, (20, 30), (60, 30))
    page.until(lambda: page.find("[data-comparison]"), "both masks")
    assert "ben saved this picture while you drew" in page.text("[data-comparison]")
    assert "only ben 300 px²" in page.text("[data-legend]").replace("\n", " ")
    page.click("[data-take=both]")
    page.until(lambda: store.label(key(0)).version == 2, "the joined mask")
    found, _ = store.mask(key(0))
    np.testing.assert_array_equal(found[60:75, 60:80], 2)
    assert (found == 1).sum() > 300
    np.testing.assert_array_equal(shown(page), found)


def test_a_second_opinion_and_who_settles_it(page, number):
    store = page.house.state.labels.get(number)
    store.save(key(1), grey_png(mark((1, 20, 20, 28, 60))), who="eva", base=0, done=True)
    open_set(page, number, "?queue=second&own=1")
    assert page.text("[data-name]") == "images/part_1.png"
    assert not shown(page).any()
    drag(page, (60, 70), (80, 70))
    page.press(Keys.ENTER)
    page.until(
        lambda: (
            page.script("return document.querySelector('[data-label]').dataset.state") == "empty"
        ),
        "the end",
    )
    assert "No picture waits for your second opinion" in page.text("[data-words]")
    assert store.label(key(1)).agreement == 0
    open_set(page, number, "?queue=disagreements")
    page.find("[data-comparison]")
    assert page.text("[data-iou]") == "0.00"
    page.click("[data-take=both]").press(Keys.ENTER)
    page.until(lambda: store.label(key(1)).settled, "the decision")


def test_thousands_of_pictures_scroll_as_a_few_rows(page, tmp_path):
    number = label_set(page.house.state, tmp_path / "many", count=400)
    open_set(page, number, "?queue=all")
    assert len(page.all(".queue .rows li")) < 40
    page.script("document.querySelector('[data-list]').scrollTop = 64 * 390")
    page.until(
        lambda: any("part_395.png" in row.text for row in page.all(".queue .rows li")), "row 395"
    )
    assert len(page.all(".queue .rows li")) < 40


def test_a_picture_that_cannot_be_read_says_why(page, number, tmp_path):
    page.expected = ("404", "422")
    (tmp_path / "discs" / "images" / "part_2.png").write_bytes(b"no picture")
    page.open(f"/label/{number}?queue=all&picture={key(2)}")
    page.until(
        lambda: (
            "no picture" in page.text("[data-words]") or "expected" in page.text("[data-words]")
        ),
        "why",
    )
    assert page.find("[data-retry]")
    page.press(Keys.PAGE_DOWN)
    page.until(lambda: page.text("[data-name]") == "images/part_3.png", "the next picture")


def test_a_viewer_looks_and_draws_nothing(page, number):
    store, accounts = page.house.state.labels.get(number), page.house.state.store.accounts
    store.save(key(1), grey_png(mark((1, 20, 20, 28, 60))), who="eva", base=0, done=True)
    now, secret = datetime.now(UTC), new_secret()
    found = accounts.find("vera") or accounts.add("vera", "viewer", now)
    accounts.let_in(found, "session", digest(secret), now, expires=now + timedelta(hours=1))
    own = page.open("/account").driver.get_cookie(COOKIE)
    page.driver.add_cookie({"name": COOKIE, "value": secret})
    try:
        open_set(page, number, f"?queue=all&picture={key(1)}")
        assert [one.text for one in page.all("[data-regions] .name")] == ["scratch"]
        assert page.text("[data-saved]") == "saved"
        before = shown(page)
        drag(page, (20, 70), (60, 70))
        page.press("p", "z", Keys.DELETE, Keys.ENTER)
        np.testing.assert_array_equal(shown(page), before)
        assert not [one for one in page.all("button[data-tool]") if one.text.startswith("Brush")]
        page.press(Keys.PAGE_DOWN)
        page.until(lambda: page.text("[data-name]") == "images/part_2.png", "the next picture")
    finally:
        page.driver.add_cookie({"name": COOKIE, "value": own["value"]})


def test_pictures_that_come_later_are_found(page, number, tmp_path):
    open_set(page, number)
    later = (tmp_path / "discs" / "images" / "part_1.png").read_bytes()
    (tmp_path / "discs" / "images" / "part_7.png").write_bytes(later)
    page.click("[data-refresh]")
    page.until(lambda: "1 more" in page.text(".notice"), "the new picture")
    assert "To do (7)" in page.text("[data-queue]")


def test_keys_and_the_address(page, number):
    open_set(page, number)
    page.press("h")
    assert page.find("[data-hide]").get_attribute("aria-pressed") == "true"
    page.press("h", "o", "+", "]", Keys.PAGE_DOWN)
    page.until(lambda: f"picture={key(1)}" in page.driver.current_url, "the address")
    page.until(lambda: page.text("[data-name]") == "images/part_1.png", "the next picture")
    ready(page)
    page.until(lambda: "view=" not in page.driver.current_url, "the whole picture")
    page.press("+")
    page.until(lambda: "view=" in page.driver.current_url, "the zoom in the address")
    address = page.driver.current_url.removeprefix(page.house.address)
    zoom = page.text("[data-zoom]")
    page.open(address)
    ready(page)
    assert page.text("[data-zoom]") == zoom
    page.click("[data-dialog=keys]")
    assert "magic wand" in page.text("[data-keys-dialog]")
    page.click("[data-keys-dialog] [data-shut]")


def test_a_zip_is_sent_and_opens_as_a_set(page, tmp_path):
    import zipfile

    from helpers.discs import disc
    from helpers.full_house import png

    path = tmp_path / "parts.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for k in range(3):
            archive.writestr(f"{k}.png", png(disc(k)))
    page.open("/label")
    page.script("document.querySelector('input[name=files]').classList.remove('hidden')")
    page.all("input[name=files]")[0].send_keys(str(path))
    page.find("input[name=classes]").send_keys("burr, dent")
    page.click("[data-new] button[type=submit]")
    page.until(lambda: "/label/" in page.driver.current_url, "the set")
    ready(page)
    assert page.text("[data-classes]").split() == ["burr", "1", "dent", "2"]
    assert "To do (3)" in page.text("[data-queue]")


def test_training_says_what_is_missing(page, number):
    page.expected = ("422",)
    open_set(page, number)
    page.click("[data-dialog=train]")
    page.click("[data-train-form] button[type=submit]")
    found = page.until(lambda: page.text("[data-train-form] .problem"), "why not")
    assert "[train]" in found or "at least 4 finished masks" in found


def test_suspicious_places_are_gone_through(page, number):
    store = page.house.state.labels.get(number)
    entry = {
        "kind": "missing",
        "given": "background",
        "seen": "stain",
        "score": 0.9,
        "segmentation": {"size": [96, 96], "counts": [96 * 40 + 20, 10, 96 * 56 - 30]},
    }
    assert store.set_suspects({"images/part_4.png": [entry]}) == 1
    open_set(page, number, "?queue=suspects")
    assert page.text("[data-name]") == "images/part_4.png"
    page.until(lambda: page.all("[data-proposed] li"), "the place")
    assert "background → stain" in page.text("[data-proposed]")
    page.press(Keys.ENTER)
    np.testing.assert_array_equal(shown(page)[20:30, 40], 2)
    page.press(Keys.ENTER)
    page.until(lambda: not store.suspects, "the end of the queue")
    assert store.label(key(4)).done


def test_what_is_written_is_what_others_read(page, number, tmp_path):
    open_set(page, number)
    drag(page, (20, 30), (60, 30))
    saved(page)
    page.press(Keys.ENTER)
    page.until(lambda: page.text("[data-name]") == "images/part_1.png", "the next picture")
    path = page.house.state.labels.get(number).write_all()
    document = json.loads(path.read_text())
    picture = Image.open(io.BytesIO((tmp_path / "discs" / "masks" / "part_0.png").read_bytes()))
    assert document["annotations"][0]["area"] == int((np.asarray(picture) == 1).sum())
    assert [one["name"] for one in document["categories"]] == ["scratch", "stain"]


def test_regions_of_the_page_are_those_of_the_file(page, number):
    open_set(page, number)
    source = """
const [masks, done] = arguments;
(async () => {
const { regionsOf } = await import("/static/label/regions.js");
const of = ([width, height, data]) => regionsOf({ width, height, data: Uint8Array.from(data) });
done(masks.map((mask) => of(mask).map((one) => [one.value, one.area, ...one.box])));
})();
"""
    rng = np.random.default_rng(5)
    masks = [
        rng.choice(3, (int(rng.integers(1, 9)), int(rng.integers(1, 12))), p=[0.6, 0.2, 0.2])
        for _ in range(60)
    ]
    sent = [[mask.shape[1], mask.shape[0], mask.ravel().tolist()] for mask in masks]
    found = page.driver.execute_async_script(source, sent)
    for regions, mask in zip(found, masks, strict=True):
        expected = [[one.number, one.area, *one.box] for one in pieces_of(mask.astype(np.uint8))]
        assert sorted(map(tuple, regions)) == sorted(map(tuple, expected))
