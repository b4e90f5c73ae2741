"""Kill the server, then the database, in the middle of load; count what was answered and what the records have.

A server with records in PostgreSQL judges what several connections send. Ten times the server is killed (SIGKILL) and
started again, then ten times every process of PostgreSQL. What the server answered with a verdict must be in the
records, and nothing may be there twice. The database is made in a folder that is removed at the end; as root it runs
as the user postgres.

python benchmarks/serve_faults.py --recipe light.flaw --data PATH/pictures --postgres /usr/lib/postgresql/15/bin
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flawline.data.source import open_source
from flawline.records import open_store
from flawline.records.where import Where
from served import Answers, Served, free_port, load

CONNECTIONS = 4
ANSWERS = 10


class Database:
    """A PostgreSQL server of its own in a folder."""

    def __init__(self, programs: Path, folder: Path, port: int) -> None:
        self.programs, self.folder, self.port = programs, folder, port
        self.url = f"postgresql://flawline@127.0.0.1:{port}/postgres"
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        self._run("initdb", "-D", str(folder), "-A", "trust", "-U", "flawline")
        self.start()

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = f"-k {self.folder} -p {self.port} -c listen_addresses=127.0.0.1"
        log = ["-l", f"{self.folder}/log"]
        self._run("pg_ctl", "-D", str(self.folder), *log, "-w", "-o", options, "start")

    def kill(self) -> None:
        """Kill all its processes."""
        pid = int((self.folder / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for each in (pid, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)

    def stop(self) -> None:
        """Stop it."""
        self._run("pg_ctl", "-D", str(self.folder), "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run(
            [*user, str(self.programs / program), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", required=True, type=Path)
    parser.add_argument("--data", required=True, help="any source of pictures")
    parser.add_argument("--postgres", required=True, type=Path, help="folder of its programs")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--away", type=float, default=2.0, help="seconds without the database")
    options = parser.parse_args()
    with open_source(options.data) as source:
        pictures = [source.read(sample.name) for sample in source.samples()]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as base:
        Path(folder).chmod(0o755)
        database = Database(options.postgres, Path(base), free_port())
        try:
            answered = Answers()
            killed_server(options, database, Path(folder), pictures, answered)
            told("server killed", options.times, answered, database.url)
            killed_database(options, database, Path(folder), pictures, answered)
            told("database killed", options.times, answered, database.url)
        finally:
            database.stop()


def killed_server(
    options: argparse.Namespace,
    database: Database,
    data: Path,
    pictures: list[bytes],
    answered: Answers,
) -> None:
    """Kill the server again and again; the last one is stopped as usual."""
    port = free_port()
    served = Served(data, options.recipe, port, store=database.url)
    for _ in range(options.times):
        with loaded(served, pictures, answered):
            wait_for(answered, len(answered.keys) + ANSWERS)
            served.end(signal.SIGKILL)
        served = Served(data, options.recipe, port, store=database.url, token=served.token)
    served.end()


def killed_database(
    options: argparse.Namespace,
    database: Database,
    data: Path,
    pictures: list[bytes],
    answered: Answers,
) -> None:
    """Kill the database again and again under a server that goes on."""
    served = Served(
        data, options.recipe, free_port(), store=database.url, options=["--sign-in-link"]
    )
    for _ in range(options.times):
        with loaded(served, pictures, answered):
            wait_for(answered, len(answered.keys) + ANSWERS)
            database.kill()
            time.sleep(options.away)
            database.start()
            wait_for(answered, len(answered.keys) + ANSWERS)
    print(f"the server ended with {served.end()}")


@contextmanager
def loaded(served: Served, pictures: list[bytes], answers: Answers) -> Iterator[None]:
    """Send pictures from threads for the length of a `with`."""
    stop = threading.Event()
    thread = threading.Thread(
        target=load,
        args=(served, pictures),
        kwargs={
            "seconds": 3600.0,
            "connections": CONNECTIONS,
            "stop": stop,
            "answers": answers,
        },
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def wait_for(answered: Answers, count: int, patience: float = 120.0) -> None:
    """Wait until so many pictures were answered."""
    until = time.monotonic() + patience
    while len(answered.keys) < count:
        if time.monotonic() > until:
            raise SystemExit(f"{len(answered.keys)} answers, and no more: {answered.status}")
        time.sleep(0.01)


def told(name: str, times: int, answered: Answers, url: str) -> None:
    """Compare the answers with the records."""
    with open_store(url) as store:
        kept = Counter(one.record.frame_key for one in store.page(Where(), count=10**7).items)
    missing = len(answered.keys - set(kept))
    twice = sum(count > 1 for count in kept.values())
    print(
        f"{name} {times} times: {len(answered.keys)} verdicts answered, {missing} not in the records, {twice} there "
        f"twice; {len(set(kept) - answered.keys)} recorded without an answer; {answered.status}"
    )


if __name__ == "__main__":
    main()
