"""Break what a station stands on, again and again; count what was accepted, recorded and delivered.

Pictures are renamed into a watched folder at a steady rate; a station judges them, records them in PostgreSQL and owes
each to a webhook, to MQTT and to clients of OPC UA. Meanwhile, N times each: the station, the broker, the database and
an OPC UA client are killed (SIGKILL) and started again, the folder is moved away and back, and, as root, the disk of
the station's notes and pictures is filled and freed. A station that ended is started again, as systemd does. At the
end every accepted picture must be in the records once, and every event must have arrived at the webhook at least once,
in the order in which they were judged: the first arrivals step back in time by no more than pictures that are judged
at once differ. What the broker's subscriber did not get is told apart: a killed broker
loses what it had not saved.

python benchmarks/line_faults.py --recipe light.flaw --data PATH --postgres /usr/lib/postgresql/15/bin --times 10
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

from flawline.records import open_store
from flawline.records.where import Where
from line_bars import small_pictures
from serve_faults import Database
from served import free_port

FILE = """\
recipe = "{recipe}"
state = "disk/state"
[names]
station = "s1"
[records]
store = "{store}"
pictures = "disk/pictures"
keep = "all"
[[feeds]]
folder = "in"
settle = 0
[[outputs]]
kind = "webhook"
url = "http://127.0.0.1:{hook}/"
events = ["judged"]
[[outputs]]
kind = "mqtt"
url = "mqtt://127.0.0.1:{broker}"
events = ["judged"]
[[outputs]]
kind = "opcua"
endpoint = "opc.tcp://127.0.0.1:{opcua}"
"""
CLIENT = """
import asyncio, sys
from asyncua import Client
async def run():
    while True:
        try:
            async with Client(sys.argv[1]) as client:
                while True:
                    await client.nodes.server.get_children()
                    await asyncio.sleep(0.2)
        except Exception:
            await asyncio.sleep(0.5)
asyncio.run(run())
"""


class Process:
    """A program that is killed and started again; it is started again when it ended by itself, which is counted."""

    def __init__(self, command: list[str], log: Path) -> None:
        self.command, self.log, self.ended = command, log, 0
        self.popen = self._started()

    def kill(self) -> None:
        """Kill it and start it again."""
        self.popen.kill()
        self.popen.wait()
        self.popen = self._started()

    def keep(self) -> None:
        """Start it again where it ended."""
        if self.popen.poll() is not None:
            self.ended += 1
            said = self.log.read_text(errors="replace").strip().splitlines()
            print(f"it ended with {self.popen.returncode}: {said[-2:]}")
            self.popen = self._started()

    def stop(self) -> None:
        """End it as usual."""
        self.popen.terminate()
        try:
            self.popen.wait(60)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(self.command, stdout=log, stderr=log)


class Line:
    """All that a station stands on, in a folder."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder, self.got = folder, []
        for name in ("in", "disk", "base", "broker"):
            (folder / name).mkdir()
        folder.chmod(0o755)
        self.disk = _mounted(folder / "disk")
        self.database = Database(options.postgres, folder / "base", free_port())
        self.hook = _hook(self.got)
        broker, opcua = free_port(), free_port()
        settings = folder / "mosquitto.conf"
        settings.write_text(
            f"user root\nlistener {broker} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/broker/\nautosave_on_changes true\nautosave_interval 1\n"
        )
        values = {"hook": self.hook.server_address[1], "broker": broker, "opcua": opcua}
        text = FILE.format(recipe=options.recipe.absolute(), store=self.database.url, **values)
        (folder / "station.toml").write_text(text)
        log = folder / "log"
        self.broker = Process(["/usr/sbin/mosquitto", "-c", str(settings)], log)
        own = [sys.executable, "-m", "flawline", "station", str(folder / "station.toml"), "--quiet"]
        self.station = Process(own, folder / "station.log")
        self.client = Process([sys.executable, "-c", CLIENT, f"opc.tcp://127.0.0.1:{opcua}"], log)
        self.heard: list[str] = []
        self.subscriber = _subscriber(broker, self.heard)

    def close(self) -> None:
        """End all."""
        for one in (self.client, self.station, self.broker):
            one.stop()
        self.subscriber.loop_stop()
        self.hook.shutdown()
        self.database.stop()
        if self.disk:
            subprocess.run(["umount", "-l", str(self.folder / "disk")], check=False)

    def recorded(self) -> list[str]:
        """Names of the pictures in the records, in the order in which they came there."""
        with open_store(self.database.url) as store:
            found, after = [], None
            while True:
                page = store.page(Where(), after=after, count=1000)
                found += [(one.id, one.record.image) for one in page.items]
                after = page.next
                if after is None:
                    return [name for _, name in sorted(found)]


def main() -> None:
    """Print what is lost, doubled and out of order."""
    options = _options()
    pictures = small_pictures(options.data, options.side)
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        line = Line(Path(folder), options)
        accepted: list[str] = []
        try:
            _wait(lambda: bool(line.got) or _fed(line, pictures, accepted), 120)
            with feeding(line, pictures, accepted, options.rate):
                for fault in FAULTS:
                    if options.only not in ("", fault.__name__):
                        continue
                    began = line.station.ended
                    for _ in range(options.times):
                        fault(line, options)
                        _again(line, options.pause)
                    ended = line.station.ended - began
                    print(
                        f"{fault.__name__}: {options.times} times; the station ended by itself {ended} times"
                    )
            _wait(lambda: _settled(line, accepted), options.settle)
            told(line, accepted)
        finally:
            line.close()


def kill_station(line: Line, options: argparse.Namespace) -> None:
    line.station.kill()


def kill_broker(line: Line, options: argparse.Namespace) -> None:
    line.broker.kill()


def kill_database(line: Line, options: argparse.Namespace) -> None:
    line.database.kill()
    time.sleep(options.away)
    line.database.start()


def kill_client(line: Line, options: argparse.Namespace) -> None:
    line.client.kill()


def move_folder(line: Line, options: argparse.Namespace) -> None:
    with _HELD:
        (line.folder / "in").rename(line.folder / "away")
        time.sleep(options.away)
        (line.folder / "away").rename(line.folder / "in")


def fill(line: Line, options: argparse.Namespace) -> None:
    """Fill the disk of notes and pictures, and free it; without root nothing is done."""
    if not line.disk:
        print("no tmpfs could be mounted: the disk was not filled")
        return
    filler = line.folder / "disk" / "filler"
    with suppress(OSError), filler.open("wb") as file:
        while True:
            file.write(bytes(65536))
            file.flush()
    time.sleep(options.away)
    filler.unlink()


FAULTS = (kill_station, kill_broker, kill_database, kill_client, move_folder, fill)
_HELD = threading.Lock()


@contextmanager
def feeding(line: Line, pictures: list[bytes], accepted: list[str], rate: float) -> Iterator[None]:
    """Rename pictures into the folder, at a rate, for the length of a `with`."""
    stop = threading.Event()

    def feed() -> None:
        while not stop.wait(1 / rate):
            _fed(line, pictures, accepted)

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _fed(line: Line, pictures: list[bytes], accepted: list[str]) -> bool:
    name = f"P{len(accepted):06d}.jpg"
    with _HELD:
        part = line.folder / "part"
        part.write_bytes(pictures[len(accepted) % len(pictures)])
        part.rename(line.folder / "in" / name)
    accepted.append(name)
    time.sleep(0.05)
    return False


def told(line: Line, accepted: list[str]) -> None:
    """Compare what was accepted with the records and with what arrived."""
    recorded, images = line.recorded(), [one["image"] for one in line.got]
    counts = Counter(recorded)
    print(f"{len(accepted)} pictures accepted, {len(recorded)} records")
    print(
        f"lost: {len(set(accepted) - set(recorded))}, doubled: {sum(n > 1 for n in counts.values())}"
    )
    first = list(dict.fromkeys(images))
    times = {one["image"]: datetime.fromisoformat(one["time"]).timestamp() for one in line.got}
    back = [before - after for before, after in pairwise(times[name] for name in first)]
    steps = [step for step in back if step > 0]
    print(
        f"webhook: {len(images)} arrivals, never arrived {len(set(recorded) - set(images))}, "
        f"arrived again {len(images) - len(first)}; {len(steps)} steps back in the time of judging, "
        f"at most {1000 * max(steps, default=0.0):.0f} ms"
    )
    print(f"MQTT: {len(line.heard)} arrivals, never arrived {len(set(recorded) - set(line.heard))}")
    print(f"load average {os.getloadavg()[0]:.1f}")


def _settled(line: Line, accepted: list[str]) -> bool:
    line.station.keep()
    recorded = set(line.recorded())
    return recorded >= set(accepted) and {one["image"] for one in list(line.got)} >= recorded


def _again(line: Line, seconds: float) -> None:
    """Let the line run, and start the station again where it ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        line.station.keep()
        time.sleep(0.2)


def _wait(condition: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(1.0)


def _mounted(folder: Path) -> bool:
    if os.geteuid() != 0:
        return False
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    return subprocess.run(mount, capture_output=True, check=False).returncode == 0


def _hook(got: list[Any]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with suppress(ValueError):
                got.append(json.loads(body))
                self.send_response(204)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _subscriber(port: int, heard: list[str]) -> Any:
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2, client_id="historian", clean_session=False)
    client.on_connect = lambda one, *_: one.subscribe("flawline/#", 1)
    client.on_message = lambda one, data, message: heard.append(
        json.loads(message.payload)["image"]
    )
    client.reconnect_delay_set(1, 1)
    client.connect_async("127.0.0.1", port)
    client.loop_start()
    return client


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", required=True, type=Path)
    parser.add_argument("--data", required=True, help="any source of pictures")
    parser.add_argument("--postgres", required=True, type=Path, help="folder of its programs")
    parser.add_argument("--side", type=int, default=256, help="px")
    parser.add_argument("--rate", type=float, default=5.0, help="pictures a second")
    parser.add_argument("--only", default="", help="one fault, by the name that is printed")
    parser.add_argument("--times", type=int, default=10, help="of each fault")
    parser.add_argument("--pause", type=float, default=5.0, help="seconds between two faults")
    parser.add_argument("--settle", type=float, default=180.0, help="most seconds to come to rest")
    parser.add_argument("--away", type=float, default=2.0, help="seconds without what is away")
    return parser.parse_args()


if __name__ == "__main__":
    main()
