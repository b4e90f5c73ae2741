"""Compile the optional library for measuring defects: `python hatch_build.py`, or by itself when Flawline is installed.

Without a C compiler, or where compiling fails, one line says so and Flawline measures with NumPy.
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
NATIVE = ROOT / "src" / "flawline" / "core" / "measure" / "native"
# No -march: the library runs on every processor of its kind. No fused operations: its numbers are the same on all.
FLAGS = ("-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-ffp-contract=off")


class CompiledMeasuring(BuildHookInterface):  # type: ignore[misc]
    """Puts the library into the wheel, which is then one for this system."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        library, words = compile_library()
        if library is None:
            print(words, file=sys.stderr)
            return
        build_data["artifacts"].append(library.relative_to(ROOT).as_posix())
        build_data["pure_python"] = False
        system = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{system}"


def compile_library(native: Path = NATIVE) -> tuple[Path | None, str]:
    """The compiled library of the sources in a folder, or None; and what happened, in words."""
    described = runpy.run_path(str(native / "library.py"))
    library: Path = described["LIBRARY"]
    if described["opened"](library).library is not None:
        return library, f"{library} is up to date"
    reasons = []
    for compiler in _compilers():
        reason = _compile(compiler, native, library, described["sources_digest"]())
        if not reason:
            return library, f"{library} compiled with {shlex.join(compiler)}"
        reasons.append(reason)
    library.unlink(missing_ok=True)
    return None, f"Defects are measured with NumPy, without the compiled library: {reasons[0]}"


def _compilers() -> list[list[str]]:
    """Commands to try: the one that is asked for, or those that are usual."""
    if asked := os.environ.get("CC"):
        return [shlex.split(asked)]
    usual = [shlex.split(sysconfig.get_config_var("CC") or ""), ["cc"], ["gcc"], ["clang"]]
    return [command for command in usual if command]


def _compile(compiler: list[str], native: Path, library: Path, digest: str) -> str:
    """Why it could not be compiled; empty where it was."""
    sources = sorted(map(str, native.glob("*.c")))
    with tempfile.TemporaryDirectory(dir=native, prefix=".build") as folder:
        made = Path(folder) / library.name
        names = f'-DFLAWLINE_SOURCES="{digest}"'
        command = [*compiler, *FLAGS, names, *sources, "-o", str(made), "-lm"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            return f"{compiler[0]}: {error.strerror}"
        if done.returncode or not made.exists():
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            return f"{compiler[0]}: {lines[0]}"
        made.replace(
            library
        )  # at once: a process that runs meanwhile has the old one or the new one
        return ""


if __name__ == "__main__":
    print(compile_library()[1])
