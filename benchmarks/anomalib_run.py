"""Run one detector of anomalib in an environment of its own, which is made where it is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ANOMALIB = "anomalib==2.7.*"


def run_anomalib(
    work: Path,
    out: Path,
    method: str,
    weights: Path,
    train: Sequence[str],
    test: Sequence[str],
    *,
    side: int,
    coreset: float,
) -> dict[str, float]:
    """Fit "padim" or "patchcore" on pictures and score others; maps and scores go to `out`, an .npz.

    `coreset` is the share of patches that PatchCore keeps. Returns seconds of the fit, pictures per second and the
    peak of memory in MiB.
    """
    python = _environment(work / "anomalib")
    job = {
        "method": method,
        "weights": str(weights.resolve()),
        "train": list(train),
        "test": list(test),
        "side": side,
        "coreset": coreset,
        "out": str(out.resolve()),
    }
    path = work / "job.json"
    path.write_text(json.dumps(job))
    script = Path(__file__).with_name("anomalib_peer.py")
    done = subprocess.run(
        [python, "-W", "ignore", script, path], check=True, stdout=subprocess.PIPE
    )
    figures: dict[str, float] = json.loads(done.stdout.decode().splitlines()[-1])
    return figures


def _environment(folder: Path) -> Path:
    python = folder / "bin" / "python"
    if not python.is_file():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "uv"], check=True)
        install = [python, "-m", "uv", "pip", "install", "--quiet", "--python", python, ANOMALIB]
        subprocess.run(install, check=True)
    return python
