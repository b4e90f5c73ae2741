"""Time from trigger to verdict on loopback: pictures come from a real MQTT broker, as from a camera beside a line.

A sender publishes pictures at a steady rate; a station judges, records and answers each before a deadline. The time
runs from the moment before the sender gives a picture to its socket until the answer is given, so that the broker is in
it. With `--beside COMMAND` that command runs at low priority (nice 19) meanwhile, again and again, such as a training.

python benchmarks/line_bars.py --recipe light.flaw --data PATH/pictures --side 256 --seconds 600
python benchmarks/line_bars.py ... --beside "flawline train anomaly parts -o trained --overwrite"
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

import flawline
from flawline.data.image import read_image
from flawline.data.source import open_source
from flawline.outputs import Answer
from flawline.records import open_store
from served import free_port

MOST_PICTURES = 200
FILE = """\
recipe = "{recipe}"
[records]
store = "line.db"
keep = "flagged"
[answers]
within = {within}
[[feeds]]
kind = "mqtt"
url = "mqtt://127.0.0.1:{port}"
topic = "line/+"
"""


def main() -> None:
    """Print the figures."""
    options = _options()
    pictures = small_pictures(options.data, options.side)
    print(
        f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, {len(pictures)} pictures"
    )
    with tempfile.TemporaryDirectory() as folder, broker(Path(folder)) as port, beside(options):
        place = Path(folder)
        text = FILE.format(recipe=options.recipe.absolute(), within=options.within, port=port)
        (place / "station.toml").write_text(text, encoding="utf-8")
        sent, answered = run(place, port, pictures, options)
        with open_store(str(place / "line.db")) as store:
            recorded = store.count()
    told(options, sent, answered, recorded)


def run(
    place: Path, port: int, pictures: list[bytes], options: argparse.Namespace
) -> tuple[dict[str, float], dict[str, tuple[float, Answer]]]:
    """Send pictures to a station; returns when each was sent, and when and how it was answered, by number."""
    sent: dict[str, float] = {}
    answered: dict[str, tuple[float, Answer]] = {}
    ended, count = threading.Event(), round(options.rate * options.seconds)

    def answer(one: Answer) -> None:
        answered[one.image.split("/")[1]] = (time.monotonic(), one)

    def send() -> None:
        try:
            send_all(port, pictures, options.rate, count, sent)
            until = time.monotonic() + 60
            while len(answered) < len(sent) and time.monotonic() < until:
                time.sleep(0.1)
        finally:
            ended.set()

    sender = threading.Thread(target=send)
    judged: list[str] = []

    def begun() -> bool:
        # The first look of the feed: its subscription is there, or comes before the sender's first picture.
        if not sender.is_alive() and not ended.is_set() and not judged:
            judged.append("begun")
            threading.Timer(3.0, sender.start).start()
        return ended.is_set()

    flawline.run_station(place / "station.toml", stop=begun, answer=answer)
    sender.join()
    return sent, answered


def send_all(
    port: int, pictures: list[bytes], rate: float, count: int, sent: dict[str, float]
) -> None:
    """Publish pictures at a rate, each made unlike the others by its topic."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    begun = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))
        sent[str(number)] = time.monotonic()
        client.publish(f"line/{number}", pictures[number % len(pictures)], qos=1)
    client.disconnect()
    client.loop_stop()


def small_pictures(data: str, side: int) -> list[bytes]:
    """Read pictures, bring them to a size in px, and encode them as JPEG."""
    found = []
    with open_source(data) as source:
        for sample, _ in zip(source.samples(), range(MOST_PICTURES), strict=False):
            pixels = read_image(source.read(sample.name)).pixels
            shrunk = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
            found.append(cv2.imencode(".jpg", shrunk[..., ::-1])[1].tobytes())
    return found


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    """Run Mosquitto on loopback; yields its port."""
    port = free_port()
    settings = folder / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n", encoding="utf-8")
    process = subprocess.Popen(
        ["/usr/sbin/mosquitto", "-c", str(settings)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(1.0)
        yield port
    finally:
        process.kill()
        process.wait()


@contextmanager
def beside(options: argparse.Namespace) -> Iterator[None]:
    """Run the command again and again at low priority."""
    if not options.beside:
        yield
        return
    loop = f"while true; do {options.beside}; done"
    print(f"beside it at nice 19: {shlex.quote(options.beside)}")
    process = subprocess.Popen(
        ["nice", "-n", "19", "sh", "-c", loop],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def told(
    options: argparse.Namespace,
    sent: dict[str, float],
    answered: dict[str, tuple[float, Answer]],
    recorded: int,
) -> None:
    """Print what came of it."""
    times = np.array([1000 * (when - sent[number]) for number, (when, _) in answered.items()])
    late = sum(one.late for _, one in answered.values())
    what = f"{len(sent)} pictures of {options.side} px at {options.rate:g}/s"
    print(f"{what}, {len(answered)} answered, {recorded} recorded")
    p50, p99 = np.quantile(times, (0.5, 0.99))
    print(
        f"from trigger to answer: p50 {p50:.1f} ms, p99 {p99:.1f} ms, worst {times.max():.1f} ms; "
        f"{late} late of a deadline of {1000 * options.within:g} ms"
    )
    print(f"load average {os.getloadavg()[0]:.1f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", required=True, type=Path)
    parser.add_argument("--data", required=True, help="any source of pictures")
    parser.add_argument("--side", type=int, default=256, help="px")
    parser.add_argument("--rate", type=float, default=10.0, help="pictures a second")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--within", type=float, default=0.1, help="deadline, s")
    parser.add_argument("--beside", default="", help="a command at low priority")
    return parser.parse_args()


if __name__ == "__main__":
    main()
