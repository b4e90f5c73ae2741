"""Nothing that Flawline runs opens a connection or starts a program."""

import subprocess
import sys

from helpers.pictures import parts

WATCHED = """
import sys

ASKS = ("socket.connect", "socket.getaddrinfo", "urllib.", "subprocess.", "os.fork", "os.posix_spawn")

def watch(event, arguments):
    if event.startswith(ASKS):
        print("asked", event, arguments, file=sys.stderr, flush=True)

sys.addaudithook(watch)
from flawline.cli.main import run
sys.exit(run(["rank", "parts", "--quiet"]) + run(["doctor", "--json"]))
"""


def test_ranking_asks_no_network(tmp_path):
    parts(tmp_path / "parts")
    done = subprocess.run(
        [sys.executable, "-c", WATCHED], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "asked" not in done.stderr, done.stderr
