"""Run commands in children of one process that has the libraries loaded: a line of JSON for each, and one as answer.

The interpreter decides which version of Flawline it is. A child is the `flawline` command but for its start.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path


def main() -> None:
    """Load the libraries, then run what comes."""
    import cv2  # noqa: F401
    import polars  # noqa: F401

    import flawline.api.inspect
    import flawline.api.rank
    import flawline.cli.main
    import flawline.data.masks  # noqa: F401
    from flawline.networks.openvino_import import openvino

    openvino()
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(metered(asked)), flush=True)


def metered(asked: dict[str, object]) -> dict[str, object]:
    """Run one command and say how it ended, its peak in kB, its seconds of processors."""
    began = time.monotonic()
    child = os.fork()
    if not child:
        run(asked)
    peak, ended, status, usage = 0, 0, 0, None
    while not ended:
        peak = max(peak, high(child))
        ended, status, usage = os.wait4(child, os.WNOHANG)
        if not ended and time.monotonic() - began > float(str(asked["most"])):
            os.kill(child, signal.SIGKILL)
        time.sleep(0.005)
    assert usage is not None
    seconds = usage.ru_utime + usage.ru_stime
    return {"code": os.waitstatus_to_exitcode(status), "peak": peak, "seconds": seconds}


def high(number: int) -> int:
    """Read the peak memory of a process, kB; 0 where it has ended."""
    try:
        state = Path(f"/proc/{number}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in state.splitlines() if "VmHWM" in line), 0)


def run(asked: dict[str, object]) -> None:
    """Be the command; files that Python opens are written to a log."""
    log = os.open(str(asked["log"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    out = os.open(str(asked["out"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(str(asked["folder"]))

    def heard(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and arguments and isinstance(arguments[0], str | bytes):
            os.write(log, os.fsencode(arguments[0]) + b"\n")

    sys.addaudithook(heard)
    from flawline.cli.main import run as command

    code = 70
    try:
        code = command([str(one) for one in asked["arguments"]])  # type: ignore[attr-defined]
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
