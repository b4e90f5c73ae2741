"""Run hostile inputs through the command, one child process each, and print what became of them.

    .venv/bin/python benchmarks/hostile.py [--only TEXT] [--python PATH] [--cold] [--json FILE] [--list]

`--python` is the interpreter of another version. Children are made of one process that has loaded the libraries; with
`--cold`, and where files are traced, each starts anew.

Each input is drawn into a folder of its own. Memory is the peak of the child process, seconds are those of processors.
Marked are: more than 2 GB or 60 s, a traceback, a fault of Flawline, a command that there is not, an exit code that is
not right for the input, and a file of somebody else that was opened (seen by strace where it is there) or whose content
came out.

Another kind of input is a file in `hostile_inputs/` with a tuple `CASES`, and a line in `KINDS` here.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

from hostile_inputs.case import SECRET, Case, Shared, shared_inputs

KINDS = ("tomls", "recipes", "networks", "manifests", "annotations", "tables", "stores", "pictures")
MOST_SECONDS, MOST_MEGABYTES = 60, 2000


@dataclass(frozen=True)
class Outcome:
    """What became of an input; `wrong` lists what is marked."""

    name: str
    code: int
    message: str
    megabytes: int
    seconds: float
    wrong: tuple[str, ...]


class Warm:
    """Children of one process (see `hostile_inputs/warm.py`)."""

    def __init__(self, python: Path) -> None:
        """Start the process."""
        script = Path(__file__).parent / "hostile_inputs" / "warm.py"
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [python, "-P", script], stdin=pipe, stdout=pipe, text=True, env=_environment()
        )

    def __call__(self, arguments: list[str], folder: Path) -> tuple[int, str, int, float]:
        """Run a command; returns as `_metered`."""
        assert self._process.stdin
        assert self._process.stdout
        out, log = folder.parent / "output.txt", folder.parent / "opened.txt"
        asked = {
            "arguments": arguments,
            "folder": str(folder),
            "out": str(out),
            "log": str(log),
            "most": 4 * MOST_SECONDS,
        }
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        text = out.read_text(errors="replace")
        return answer["code"], text, answer["peak"] // 1000, answer["seconds"]


def run(case: Case, shared: Shared, flawline: Path, warm: Warm | None) -> Outcome:
    """Draw an input and run the command on it."""
    folder = shared.folder / "case"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    arguments = case.make(folder, shared)
    drawn = set(folder.rglob("*"))
    traced = case.traced and shutil.which("strace") is not None
    log = shared.folder / "opened.txt"
    log.unlink(missing_ok=True)
    watch = ["strace", "-f", "-qq", "-e", "trace=open,openat", "-o", str(log)] if traced else []
    cold = [*watch, str(flawline), *arguments]
    code, text, megabytes, seconds = (
        _metered(cold, folder) if warm is None or traced else warm(arguments, folder)
    )
    wrong = [*_wrong_end(case, code, text), *_leaks(folder, drawn, text)]
    if megabytes > MOST_MEGABYTES:
        wrong.append("memory")
    if seconds > MOST_SECONDS:
        wrong.append("time")
    if _opened(log, shared):
        wrong.append("opened a file outside")
    return Outcome(case.name, code, _message(text), megabytes, round(seconds, 1), tuple(wrong))


def _metered(command: list[str], folder: Path) -> tuple[int, str, int, float]:
    """Run a command: its exit code, its output, its peak in MB, its seconds of processors."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            command,
            cwd=folder,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )
        peak, ended = 0, 0
        while not ended:
            peak = max(peak, _peak(child.pid))
            ended, status, usage = os.wait4(child.pid, os.WNOHANG)
            if not ended and time.monotonic() - began > 4 * MOST_SECONDS:
                os.killpg(child.pid, signal.SIGKILL)
            time.sleep(0.01)
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    return child.returncode, text, peak // 1000, usage.ru_utime + usage.ru_stime


def _environment() -> dict[str, str]:
    own = {
        "COLUMNS": "200",
        "FLAWLINE_OFFLINE": "1",
        "FLAWLINE_KEEP_COMPILED": "0",
        "OMP_NUM_THREADS": "1",
    }
    return {**os.environ, **own}


def _peak(number: int) -> int:
    """Read the peak memory of a process and of those that it started, kB."""
    try:
        state = Path(f"/proc/{number}/status").read_text()
        below = Path(f"/proc/{number}/task/{number}/children").read_text().split()
    except OSError:
        return 0
    own = [int(line.split()[1]) for line in state.splitlines() if line.startswith("VmHWM")]
    return max([*own, *(_peak(int(child)) for child in below)], default=0)


def _wrong_end(case: Case, code: int, text: str) -> list[str]:
    wrong = [] if code in case.exits else [f"exit {code}"]
    if "Traceback" in text:
        wrong.append("traceback")
    if any(f"error: {what}" in text for what in ("No such option", "No such command", "Missing")):
        wrong.append("no such command")  # the input was not looked at
    if "fault of Flawline" in text or "unexpected " in text:
        wrong.append("fault of Flawline")
    return wrong


def _leaks(folder: Path, drawn: set[Path], text: str) -> list[str]:
    """Whether the content of a file of somebody else came out."""
    written = [path for path in folder.rglob("*") if path.is_file() and path not in drawn]
    marks = (SECRET, b"root:x:0:0")
    if any(mark in path.read_bytes() for path in written for mark in marks):
        return ["copied a file outside"]
    return ["printed a file outside"] if any(mark.decode() in text for mark in marks) else []


def _opened(log: Path, shared: Shared) -> bool:
    """Whether a file of somebody else was opened."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    asked = [line for line in lines if " = -1 " not in line]
    outside = (
        str(shared.secret),
        "secret.png",
        "/proc/self/environ",
        "/proc/self/mem",
        "/dev/zero",
    )
    return any(line.endswith(name) or f'{name}"' in line for line in asked for name in outside)


def _message(text: str) -> str:
    """The first line of an error, else of what could not be judged."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for start in ("error:", "could not be judged", "problem:", "warning:"):
        if found := next((line for line in lines if line.startswith(start)), None):
            return found.replace("|", "/")[:110]
    return (lines[-1] if lines else "").replace("|", "/")[:110]


def cases(only: str) -> list[Case]:
    """All inputs whose name holds one of some texts, separated by commas."""
    found = [case for kind in KINDS for case in import_module(f"hostile_inputs.{kind}").CASES]
    return [case for case in found if any(text in case.name for text in only.split(","))]


def main() -> None:
    """Run the inputs and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="inputs whose name holds this, or this,or that")
    parser.add_argument("--python", type=Path, default=Path(sys.executable))
    parser.add_argument("--cold", action="store_true", help="start every command anew")
    parser.add_argument("--json", type=Path, help="write the outcomes there too")
    parser.add_argument("--list", action="store_true", help="print the names alone")
    options = parser.parse_args()
    chosen = cases(options.only)
    if options.list:
        print("\n".join(case.name for case in chosen))
        return
    outcomes = []
    print("| input | exit | MB | s | marked | message |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        shared = shared_inputs(Path(folder))
        warm = None if options.cold else Warm(options.python)
        flawline = options.python.with_name("flawline")
        for case in chosen:
            one = run(case, shared, flawline, warm)
            outcomes.append(one)
            marked = ", ".join(one.wrong)
            print(
                f"| {one.name} | {one.code} | {one.megabytes} | {one.seconds} | {marked} | {one.message} |",
                flush=True,
            )
    most = max(outcomes, key=lambda one: one.megabytes)
    slowest = max(outcomes, key=lambda one: one.seconds)
    marked = [one for one in outcomes if one.wrong]
    print(
        f"\n{len(outcomes)} inputs, {len(marked)} marked; most memory {most.megabytes} MB ({most.name}), ",
        end="",
    )
    print(f"longest {slowest.seconds} s ({slowest.name})")
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in outcomes], indent=1))
    sys.exit(1 if marked else 0)


if __name__ == "__main__":
    main()
