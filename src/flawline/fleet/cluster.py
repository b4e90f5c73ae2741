"""Start Ray on this machine, or connect to a cluster."""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flawline.data.cores import cpu_count
from flawline.errors import DependencyError, FlawlineError, UsageError, install_extra

LOCAL = "local"
_ADDRESS = re.compile(r"ray://[^/\s]+:\d+")
_TOKEN = Path.home() / ".ray" / "auth_token"
# The store of a machine by itself holds names, references to compare with, and pictures that records keep.
_STORE_BYTES = 512 * 2**20


@contextmanager
def ray_on(on: str, *, cores: int | None = None) -> Iterator[None]:
    """Have Ray in a `with` block.

    Args:
        on: "local" starts Ray on this machine and ends it with the block, reached by this machine alone;
            "ray://HOST:PORT" connects to a cluster. In a process that is connected already that connection is used, and
            stays.
        cores: how many "local" uses; all that this process may use if None.

    Raises:
        UsageError: `on` is neither.
        DependencyError: the extra [fleet] is missing.
        FlawlineError: ("fleet-unreachable") no cluster answers there, or it is of another version.
    """
    if on != LOCAL and not _ADDRESS.fullmatch(on):
        raise UsageError(
            f"expected `on` as {LOCAL!r} or 'ray://HOST:PORT', got {on!r}",
            hint="leave it out to work in this process",
        )
    if on != LOCAL and (_TOKEN.is_file() or "RAY_AUTH_TOKEN" in os.environ):
        # Clusters of today want the token, and Ray sends it only where it is told to.
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    ray = import_ray()
    if ray.is_initialized():
        yield
        return
    _connect(ray, on, cores)
    try:
        yield
    finally:
        ray.shutdown()


def import_ray() -> Any:
    """Import Ray, which sends no statistics of use and writes no notices.

    Raises:
        DependencyError: the extra [fleet] is missing.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # The name says otherwise; this keeps what Ray starts on the loopback address, unless it is told another one.
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # Actors do the work that this process would do, at its priority.
    os.environ.setdefault("RAY_worker_niceness", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise DependencyError(
            f"work on Ray (`on`) needs packages that are not installed: {error}",
            hint=install_extra("fleet"),
        ) from error
    for name in ("ray", "ray.data", "ray.client_builder", "ray.util.client.logsclient"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return ray


def _connect(ray: Any, on: str, cores: int | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.CRITICAL, "configure_logging": False}
    try:
        if on != LOCAL:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the error says the same
                ray.init(on, log_to_driver=False)
            return
        ray.init(
            LOCAL,
            num_cpus=cores or cpu_count(),
            include_dashboard=False,
            object_store_memory=_STORE_BYTES,
            **quiet,
        )
    except (ConnectionError, RuntimeError, ValueError, TimeoutError, OSError) as error:
        raise FlawlineError(
            f"Ray cannot be used on {on}: {str(error).splitlines()[0] if str(error) else error!r}",
            hint="check the address, and that both sides have the same versions of Ray and Python",
            code="fleet-unreachable",
        ) from error
