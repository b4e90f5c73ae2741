"""Compile the optional libraries: `python hatch_build.py`, or by itself when Flawline is installed.

Without a C compiler, or where compiling fails, a line for each says so and Flawline does the work without it.
"""

from __future__ import annotations

import os
import runpy
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ModuleNotFoundError:  # run by hand
    BuildHookInterface = object  # type: ignore[assignment,misc]

ROOT = Path(__file__).parent
DESCRIBED = runpy.run_path(str(ROOT / "src" / "flawline" / "compiled.py"))
# No -march: a library runs on every processor of its kind. No fused operations: its numbers are the same on all.
FLAGS = ("-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-ffp-contract=off")


class CompiledLibraries(BuildHookInterface):  # type: ignore[misc]
    """Puts the libraries into the wheel, which is then one for this system."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        for library in DESCRIBED["LIBRARIES"]:
            made, words = compile_library(library)
            if made is None:
                print(words, file=sys.stderr)
                continue
            build_data["artifacts"].append(made.relative_to(ROOT).as_posix())
            build_data["pure_python"] = False
            system = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["tag"] = f"py3-none-{system}"


def compile_library(library: Any) -> tuple[Path | None, str]:
    """The file of a library that is compiled now if need be, or None; and what happened, in words."""
    DESCRIBED["opened"].cache_clear()
    if DESCRIBED["opened"](library).library is not None:
        return library.path, f"{library.path} is up to date"
    reasons = []
    for compiler in _compilers():
        reason = _compile(compiler, library)
        if not reason:
            return library.path, f"{library.path} compiled with {shlex.join(compiler)}"
        reasons.append(reason)
    library.path.unlink(missing_ok=True)
    return None, f"{library.work} by {library.instead}, without the compiled library: {reasons[0]}"


def _compilers() -> list[list[str]]:
    """Commands to try: the one that is asked for, or those that are usual."""
    if asked := os.environ.get("CC"):
        return [shlex.split(asked)]
    usual = [shlex.split(sysconfig.get_config_var("CC") or ""), ["cc"], ["gcc"], ["clang"]]
    return [command for command in usual if command]


def _compile(compiler: list[str], library: Any) -> str:
    """Why it could not be compiled; empty where it was."""
    sources = sorted(map(str, library.folder.glob("*.c")))
    with tempfile.TemporaryDirectory(dir=library.folder, prefix=".build") as folder:
        made = Path(folder) / library.name
        names = f'-DFLAWLINE_SOURCES="{DESCRIBED["sources_digest"](library.folder)}"'
        command = [*compiler, *FLAGS, names, *sources, "-o", str(made), "-lm"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            return f"{compiler[0]}: {error.strerror}"
        if done.returncode or not made.exists():
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            return f"{compiler[0]}: {lines[0]}"
        # At once: a process that runs meanwhile has the old one or the new one.
        made.replace(library.path)
        return ""


if __name__ == "__main__":
    for each in DESCRIBED["LIBRARIES"]:
        print(compile_library(each)[1])
