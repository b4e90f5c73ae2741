"""A certificate of the loopback address for tests, signed by itself."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def certificate(folder: Path, kind: str = "ec") -> tuple[Path, Path]:
    """Write certificate.pem and key.pem of a kind, such as "rsa:2048"; skips where openssl is missing."""
    tool = shutil.which("openssl")
    if tool is None:
        pytest.skip("openssl is not installed")
    written, key = folder / "certificate.pem", folder / "key.pem"
    command = [tool, "req", "-x509", "-newkey", kind]
    command += ["-pkeyopt", "ec_paramgen_curve:prime256v1"] if kind == "ec" else []
    command += ["-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(written)]
    subprocess.run(command, check=True, capture_output=True)
    return written, key
