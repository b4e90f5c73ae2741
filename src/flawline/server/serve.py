"""Run a server until it is stopped."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING

from flawline.errors import DependencyError, UsageError, install_extra
from flawline.server.settings import ServeSettings
from flawline.station.triggers import Triggers
from flawline.types import EMPTY, Track

if TYPE_CHECKING:
    import uvicorn

    from flawline.server.state import ServerState

Say = Callable[[str], None]
STOP_SECONDS = 30
IDLE_SECONDS = 75
"""How long a connection stays open between two requests: a camera may send a picture a minute."""


def serve(
    settings: ServeSettings, say: Say, *, new_link: bool = False, sample: Track | None = None
) -> None:
    """Serve the page and its API until Ctrl-C or SIGTERM; what was accepted is finished first.

    Args:
        settings: of the server.
        say: writes a line for whoever started it.
        new_link: print a link for an admin also where there are accounts already.
        sample: make the sample lot first where it is not there yet, with this progress.

    Raises:
        DependencyError: the extra [serve] is not installed.
        StoreError: the records cannot be used.
        ModelError: a recipe cannot be used.
    """
    _check_installed()
    from flawline.server.state import opened_state
    from flawline.server.work.sample_lot import PRODUCT, make_sample

    with opened_state(settings) as state:
        if sample is not None and PRODUCT not in state.products.names():
            make_sample(state, sample)
        more = f", data in {settings.data}; stop it with Ctrl-C"
        _say_address(state, settings.port, say, new_link=new_link, more=more)
        server = _server(state)
        # uvicorn passes the signal on when it has stopped; here that is the usual end.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            server.run()


@contextmanager
def serving(
    settings: ServeSettings,
    say: Say,
    *,
    triggers: Mapping[str, Triggers] = EMPTY,
    new_link: bool = False,
) -> Iterator[None]:
    """Serve the page beside other work of this process while the block runs.

    Args:
        settings, say, new_link: as for `serve`; port 0 takes a free one, which is said.
        triggers: cameras that requests may ask for pictures, by name.

    Raises:
        UsageError: nobody can listen on the address.
        DependencyError, StoreError, ModelError: as for `serve`.
    """
    _check_installed()
    from flawline.server.state import opened_state

    with _listening(settings) as listener, opened_state(settings, triggers) as state:
        server = _server(state)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="page")
        thread.start()
        try:
            _say_address(state, listener.getsockname()[1], say, new_link=new_link)
            yield
        finally:
            server.should_exit = True
            thread.join()


def _check_installed() -> None:
    try:
        for name in ("argon2", "fastapi", "prometheus_client", "python_multipart", "uvicorn"):
            import_module(name)
    except ImportError as error:
        raise DependencyError(
            f"the server needs packages that are not installed: {error.name}",
            hint=install_extra("serve"),
        ) from error


def _server(state: ServerState) -> uvicorn.Server:
    import uvicorn

    from flawline.server.app import server_app

    config = uvicorn.Config(
        server_app(state),
        host=state.settings.host,
        port=state.settings.port,
        log_level="warning",
        timeout_graceful_shutdown=STOP_SECONDS,
        timeout_keep_alive=IDLE_SECONDS,
        server_header=False,
        proxy_headers=False,
    )
    return uvicorn.Server(config)


def _say_address(
    state: ServerState, port: int, say: Say, *, new_link: bool, more: str = ""
) -> None:
    """Say where the server is, and the link for the first admin."""
    from flawline.server.state import first_link

    host = state.settings.host
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    secret = first_link(state.store, again=new_link)
    if secret is not None:
        say(f"sign in once with this link, within a day: {address}/sign-in#{secret}")
    say(f"serving {address}{more}")


@contextmanager
def _listening(settings: ServeSettings) -> Iterator[socket.socket]:
    """Listen, so that who cannot is told before anything else begins."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise UsageError(
            f"the page cannot be served at {settings.host}, port {settings.port}: {error.strerror}",
            hint="give another port, or stop what has it",
        ) from error
    with listener:
        yield listener
