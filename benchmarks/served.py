"""A server process to measure: start, token, load by several connections, memory, end."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx

MEGABYTE = 1024**2


def free_port() -> int:
    """Find a port that nothing listens on."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


class Served:
    """`flawline serve` in a process of its own; `token` lets an operator in."""

    def __init__(
        self,
        data: Path,
        recipe: Path,
        port: int,
        *,
        store: str | None = None,
        token: str = "",
        options: Sequence[str] = (),
    ) -> None:
        """Start it, and wait until it is ready; `ready_s` are the seconds that took."""
        self.port, self.address = port, f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "flawline", "serve", "--data", str(data), *options]
        command += ["--recipe", str(recipe), "--port", str(port)]
        begun = time.monotonic()
        self.popen = subprocess.Popen(
            [*command, *(() if store is None else ("--store", store))],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self.popen.stdout is not None
        lines = [self.popen.stdout.readline()]
        while "serving" not in lines[-1]:
            if self.popen.poll() is not None:
                raise SystemExit(f"the server ended with {self.popen.returncode}")
            lines.append(self.popen.stdout.readline())
        while True:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.address}/ready").is_success:
                    break
            time.sleep(0.02)
        self.ready_s = time.monotonic() - begun
        self.token = token or self._token(lines[0])

    def _token(self, line: str) -> str:
        with httpx.Client(base_url=self.address) as client:
            link = line.strip().rpartition("#")[2]
            begun = client.post("/api/sign-in/link", json={"link": link}).raise_for_status()
            made = client.post(
                "/api/me/tokens",
                json={"name": "load", "role": "operator"},
                headers={"X-CSRF-Token": begun.json()["csrf"]},
            )
            return str(made.raise_for_status().json()["token"])

    def memory(self) -> float:
        """Return its resident memory in MB."""
        text = Path(f"/proc/{self.popen.pid}/status").read_text()
        return float(text.partition("VmRSS:")[2].split()[0]) / 1024

    def end(self, how: int = signal.SIGTERM) -> int:
        """Send it a signal, and wait for its end."""
        self.popen.send_signal(how)
        self.popen.communicate(timeout=120)
        return self.popen.returncode


@dataclass
class Answers:
    """What a load got: seconds of every answer and its status, and the keys that were answered with a verdict."""

    seconds: list[float] = field(default_factory=list)
    status: dict[int, int] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    broken: int = 0
    took: float = 0.0

    def rate(self) -> float:
        """Return the verdicts per second."""
        return self.status.get(200, 0) / self.took

    def line(self) -> str:
        """Say what came, in a line."""
        ordered = sorted(self.seconds)
        at = {p: ordered[min(len(ordered) - 1, int(p / 100 * len(ordered)))] for p in (50, 95, 99)}
        times = ", ".join(f"p{p} {1000 * value:.1f}" for p, value in at.items())
        counts = ", ".join(f"{count} x {code}" for code, count in sorted(self.status.items()))
        broken = f", {self.broken} connections broken" if self.broken else ""
        return f"{self.rate():.1f} verdicts/s; {times} ms; {counts}{broken}"


def load(
    served: Served,
    pictures: Sequence[bytes],
    *,
    seconds: float,
    connections: int,
    rate: float | None = None,
    stop: threading.Event | None = None,
    answers: Answers | None = None,
) -> Answers:
    """Send pictures for some time over kept connections.

    Without `rate` each connection sends the next picture when the last was answered. With it pictures are due at equal
    distances, whatever came back, and seconds count from when a picture was due. `answers` may be given, to look at
    them from another thread; a connection that breaks is not opened again when `stop` is given.
    """
    found, lock, begun = answers or Answers(), threading.Lock(), time.monotonic()
    prefix, due = uuid4().hex[:8], _due(begun, seconds, rate)

    def run() -> None:
        client = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
        while stop is None or not stop.is_set():
            with lock:
                number, moment = next(due, (-1, 0.0))
            if number < 0:
                break
            if (wait := moment - time.monotonic()) > 0:
                time.sleep(wait)
            key = f"{prefix}-{number}"
            sent = moment if rate else time.monotonic()
            body, kind = _body(pictures[number % len(pictures)])
            try:
                client.request(
                    "POST",
                    "/api/inspect",
                    body,
                    {
                        "Content-Type": kind,
                        "Authorization": f"Bearer {served.token}",
                        "Idempotency-Key": key,
                    },
                )
                answer = client.getresponse()
                verdict = json.loads(answer.read())
            except (OSError, http.client.HTTPException, ValueError):
                with lock:
                    found.broken += 1
                if stop is not None:
                    return
                client.close()
                continue
            with lock:
                found.seconds.append(time.monotonic() - sent)
                found.status[answer.status] = found.status.get(answer.status, 0) + 1
                if answer.status == 200 and "verdict" in verdict:
                    found.keys.add(key)
        client.close()

    threads = [threading.Thread(target=run) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.took = time.monotonic() - begun
    return found


def _due(begun: float, seconds: float, rate: float | None) -> Iterator[tuple[int, float]]:
    """Yield numbers of pictures and when they are due."""
    number = 0
    while True:
        moment = begun + number / rate if rate else time.monotonic()
        if moment >= begun + seconds:
            return
        yield number, moment
        number += 1


def _body(picture: bytes) -> tuple[bytes, str]:
    """Make the body of a request, and its content type."""
    border = b"flawline-load"
    head = (
        b'--%s\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n\r\n' % border
    )
    tail = b"\r\n--%s--\r\n" % border
    return head + picture + tail, f"multipart/form-data; boundary={border.decode()}"
