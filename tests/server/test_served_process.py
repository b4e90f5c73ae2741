"""A real server process: its first link, and nothing lost when it is killed in the middle of work."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from flawline.records import open_store
from flawline.records.where import Where
from helpers.discs import disc
from helpers.full_house import png

KILLS = 2


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


class Process:
    """`flawline serve` in a process of its own."""

    def __init__(self, data: Path, recipe: Path, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "flawline", "serve", "--data", str(data)]
        self.popen = subprocess.Popen(
            [*command, "--recipe", str(recipe), "--port", str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self.popen.stdout is not None
        self.lines = []
        while not self.lines or "serving" not in self.lines[-1]:
            line = self.popen.stdout.readline()
            assert line, self.popen.communicate()[1]
            self.lines.append(line)
        while True:
            try:
                if httpx.get(f"{self.address}/health").is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.05)

    def end(self, how: int) -> int:
        self.popen.send_signal(how)
        self.popen.communicate(timeout=60)
        return self.popen.returncode


@pytest.mark.slow
def test_every_answer_is_in_the_records_once_however_often_it_is_killed(tmp_path, disc_recipe):
    data, port = tmp_path / "data", free_port()
    process = Process(data, disc_recipe, port)
    link = process.lines[0].strip().rpartition("#")[2]
    with httpx.Client(base_url=process.address) as client:
        begun = client.post("/api/sign-in/link", json={"link": link})
        headers = {"X-CSRF-Token": begun.json()["csrf"]}
        made = client.post(
            "/api/me/tokens", json={"name": "t", "role": "operator"}, headers=headers
        )
    token = {"Authorization": f"Bearer {made.json()['token']}"}
    picture, answered, number = png(disc(7)), set(), 0
    for _ in range(KILLS):
        stop = threading.Event()

        def load(first: int, address: str = process.address, stop: threading.Event = stop) -> None:
            with httpx.Client(base_url=address, headers=token, timeout=30) as client:
                for k in range(first, first + 10_000):
                    if stop.is_set():
                        return
                    try:
                        answer = client.post(
                            "/api/inspect",
                            files={"picture": ("a.png", picture)},
                            headers={"Idempotency-Key": f"k{k}"},
                        )
                    except httpx.TransportError:
                        return
                    if answer.is_success:
                        answered.add(f"k{k}")

        threads = [threading.Thread(target=load, args=(number + 10_000 * k,)) for k in range(3)]
        number += 100_000
        before = len(answered)
        for thread in threads:
            thread.start()
        while len(answered) < before + 12:
            time.sleep(0.02)
        process.end(signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join()
        process = Process(data, disc_recipe, port)
    assert process.end(signal.SIGTERM) == 0
    with open_store(str(data / "records.db")) as store:
        kept = [one.record.frame_key for one in store.page(Where(), count=5000).items]
    assert len(kept) == len(set(kept))
    assert answered <= set(kept)
    # What was judged and not answered may be there too, one for each connection and kill.
    assert len(kept) - len(answered) <= 3 * KILLS


def test_without_the_extra_it_says_what_to_install(monkeypatch, capsys, tmp_path):
    from flawline.cli.main import run

    monkeypatch.setitem(sys.modules, "argon2", None)
    assert run(["serve", "--data", str(tmp_path)]) == 2
    assert "[serve]" in capsys.readouterr().err
