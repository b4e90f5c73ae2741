"""Answers of R, an independent implementation, where it is installed with the packages that a test needs."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable

import pytest


def r_answers(code: str, *packages: str, **given: Iterable[float] | Iterable[str]) -> list[float]:
    """Run R code that ends with the numbers to compare, and return them; skips where R or a package is missing.

    `given` are vectors of numbers or names that the code uses.
    """
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("R is not installed: Rscript is not on the path")
    lines = [
        f'if (!requireNamespace("{name}", quietly = TRUE)) {{ cat("missing {name}"); quit() }}'
        for name in packages
    ]
    lines += [f"suppressMessages(library({name}))" for name in packages]
    lines += [f"{name} <- {_vector(values)}" for name, values in given.items()]
    lines.append(f"found <- {{ {code} }}")
    lines.append('cat(format(as.numeric(found), digits = 15), sep = "\\n")')
    ran = subprocess.run(
        [rscript, "--vanilla", "-"], input="\n".join(lines), capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    if ran.stdout.startswith("missing"):
        pytest.skip(f"the R package {ran.stdout.split()[1]} is not installed")
    return [float(line) for line in ran.stdout.split()]


def _vector(values: Iterable[float] | Iterable[str]) -> str:
    cells = [f'"{each}"' if isinstance(each, str) else repr(float(each)) for each in values]
    return f"c({', '.join(cells)})"
