"""A real server and a real browser: open pages as a person does, and see that nothing leaves the machine.

In a test of a page, `page` (tests/server/conftest.py) is signed in as an admin at a server that many tests share:

    def test_the_line_names_the_lot(page):
        page.open("/")
        page.press("w")
        assert "lot L1" in page.text()

A test that changes records takes a server of its own:

    def test_a_part_is_accepted(chromium, tmp_path, disc_recipe):
        with served_house(tmp_path, disc_recipe) as house, signed_in(chromium, house) as page:
            page.open("/review").press("a")

Both assert at the end that there was no error on the console and that every request went to this server.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

AXE = Path(__file__).parents[2] / ".cache" / "npm" / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"desk": (1440, 900), "phone": (390, 844), "wall": (1920, 1080)}
# Much longer than anything takes: only what never comes is a failure, not a slow machine.
WAIT_SECONDS = 90
_NUMBERS = itertools.count(1)
_SETTLED = """
return document.readyState === "complete" &&
  [...document.images].every(i => i.loading === "lazy" || i.complete)
"""
_WIDER = "return document.documentElement.scrollWidth > document.documentElement.clientWidth"


@dataclass(frozen=True)
class House:
    """A running server: `address` without a slash at the end, and its state."""

    address: str
    state: Any


@contextmanager
def serving(settings_of: Callable[[int, str], Any]) -> Iterator[House]:
    """Serve in a thread; `settings_of` makes settings of a port and of a name that no other server has.

    Cookies do not tell ports apart, so each server has a name of its own under localhost.
    """
    import socket

    import uvicorn

    from flawline.server.app import server_app
    from flawline.server.state import opened_state

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        # A browser that asks before the server is up waits instead of being refused.
        listening.listen(64)
        port, name = int(listening.getsockname()[1]), f"house{next(_NUMBERS)}.localhost"
        with opened_state(settings_of(port, name)) as state:
            config = uvicorn.Config(server_app(state), log_level="critical", lifespan="off")
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            try:
                yield House(f"http://{name}:{port}", state)
            finally:
                server.should_exit = server.force_exit = True
                thread.join()


@dataclass
class ServedPage:
    """A browser at a server; what it does returns the page itself, so that calls can follow each other."""

    driver: Any
    house: House
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    """Parts of messages on the console that a test provokes, such as "422"."""

    def open(self, path: str) -> ServedPage:
        """Open an address of the server and wait until its pictures are there."""
        self.driver.get(self.house.address + path)
        return self.settle()

    def settle(self) -> ServedPage:
        """Wait until the page and its pictures are loaded."""
        self.until(lambda: self.script(_SETTLED), "the page to load")
        return self

    def until(
        self, true: Callable[[], Any], what: str = "it", seconds: float = WAIT_SECONDS
    ) -> Any:
        """Wait until `true` gives something, and return it."""
        from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
        from selenium.webdriver.support.wait import WebDriverWait

        wait = WebDriverWait(
            self.driver, seconds, 0.03, ignored_exceptions=(StaleElementReferenceException,)
        )
        try:
            return wait.until(lambda _: true())
        except TimeoutException:
            complaints = [one["message"] for one in self.driver.get_log("browser")]
            pytest.fail(f"waited for {what} in vain; on the console: {complaints}")

    def find(self, css: str) -> Any:
        """Wait for the first visible element of a selector."""
        return self.until(
            lambda: next((one for one in self.all(css) if one.is_displayed()), None), css
        )

    def all(self, css: str) -> list[Any]:
        """List the elements of a selector that are there now."""
        return list(self.driver.find_elements("css selector", css))

    def click(self, css: str) -> ServedPage:
        """Click the first visible element of a selector."""
        self.find(css).click()
        return self

    def press(self, *keys: str) -> ServedPage:
        """Press keys, one after the other, wherever the focus is."""
        from selenium.webdriver.common.action_chains import ActionChains

        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()
        return self

    def text(self, css: str = "main") -> str:
        """Return the visible text of an element."""
        return str(self.until(lambda: self.all(css), css)[0].text)

    def script(self, source: str, *arguments: Any) -> Any:
        """Run JavaScript in the page and return what it gives."""
        return self.driver.execute_script(source, *arguments)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API as whoever is signed in, and return the JSON of the answer, also of a refusal."""
        source = """
const [method, path, body, done] = arguments;
const headers = {"Content-Type": "application/json", "X-CSRF-Token": document.querySelector("meta[name=csrf]").content};
fetch(path, {method, headers, body: body && JSON.stringify(body)})
  .then(a => a.text()).then(t => done(t && JSON.parse(t)))
"""
        return self.driver.execute_async_script(source, method, path, body)

    def look(
        self, size: str = "desk", *, dark: bool = False, reduced_motion: bool = True
    ) -> ServedPage:
        """Look at it on another screen (see SIZES), light or dark."""
        width, height = SIZES[size]
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1}
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {**metrics, "mobile": size == "phone"}
        )
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if reduced_motion else ""},
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        return self

    def scrolls_sideways(self) -> bool:
        """Whether the page is wider than the screen."""
        return bool(self.script(_WIDER))

    def shoot(self, path: Path) -> Path:
        """Write a picture of what is on the screen."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.driver.get_screenshot_as_png())
        return path

    def faults(self) -> list[str]:
        """List what axe-core finds serious or critical on the page, with the elements."""
        if not self.script("return !!window.axe"):
            self.script(axe_source())
        source = "axe.run(document, {resultTypes: ['violations']}).then(arguments[0])"
        found = self.driver.execute_async_script(source)["violations"]
        return [
            f"{one['id']} ({one['impact']}): {node['html'][:200]} {node.get('failureSummary', '')}"
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]

    def gather(self) -> ServedPage:
        """Read what was asked for and complained about since the last time."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] != "Network.requestWillBeSent":
                continue
            if not self._elsewhere(message["params"]["documentURL"]):
                self.asked.append(message["params"]["request"]["url"])
        self.complaints += [
            one["message"]
            for one in self.driver.get_log("browser")
            if one["level"] == "SEVERE" and not self._elsewhere(one["message"])
        ]
        return self

    def _elsewhere(self, text: str) -> bool:
        """Whether an address or complaint is of a page of another house: tests share the browser, one after the other.

        A page that a test left open may ask for its pictures until the next one is opened.
        """
        own = urlsplit(self.house.address).netloc
        houses = re.findall(r"//(house\d+\.localhost:\d+)", text)
        return bool(houses) and own not in houses

    def check(self) -> None:
        """Assert that all requests went to the server and that the console has no error."""
        self.gather()
        host = urlsplit(self.house.address).netloc
        assert self.asked, "the browser asked for nothing"
        away = [
            url
            for url in self.asked
            if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != host
        ]
        assert not away, away
        wrong = [one for one in self.complaints if not any(part in one for part in self.expected)]
        assert not wrong, wrong


@contextmanager
def signed_in(driver: Any, house: House) -> Iterator[ServedPage]:
    """Sign in as an admin by a one-time link; at the end the page is checked."""
    from flawline.server.state import first_link

    page = ServedPage(driver, house)
    page.look().gather()
    page.asked.clear()
    page.complaints.clear()
    secret = first_link(house.state.store, again=True)
    driver.get("about:blank")
    driver.get(f"{house.address}/sign-in#{secret}")
    page.until(lambda: "/sign-in" not in driver.current_url, "the link to let in")
    page.settle()
    yield page
    page.check()


def axe_source() -> str:
    """Read axe-core; skips where it is not installed (`make axe`), unless FLAWLINE_REQUIRE_BROWSER is set."""
    if not AXE.is_file():
        if os.environ.get("FLAWLINE_REQUIRE_BROWSER"):
            pytest.fail("axe-core is required here and not installed: make axe")
        pytest.skip("axe-core is not installed: make axe")
    return AXE.read_text("utf-8")
