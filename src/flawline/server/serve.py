"""Run a server until it is stopped."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module

from flawline.errors import DependencyError, install_extra
from flawline.server.settings import ServeSettings
from flawline.types import Track

STOP_SECONDS = 30
IDLE_SECONDS = 75
"""How long a connection stays open between two requests: a camera may send a picture a minute."""


def serve(
    settings: ServeSettings,
    say: Callable[[str], None],
    *,
    new_link: bool = False,
    sample: Track | None = None,
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
    try:
        for name in ("argon2", "fastapi", "prometheus_client", "python_multipart"):
            import_module(name)
        import uvicorn
    except ImportError as error:
        raise DependencyError(
            f"the server needs packages that are not installed: {error.name}",
            hint=install_extra("serve"),
        ) from error
    from flawline.server.app import server_app
    from flawline.server.state import first_link, opened_state
    from flawline.server.work.sample_lot import PRODUCT, make_sample

    with opened_state(settings) as state:
        if sample is not None and PRODUCT not in state.products.names():
            make_sample(state, sample)
        name = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"http://{name}:{settings.port}"
        secret = first_link(state.store, again=new_link)
        if secret is not None:
            say(f"sign in once with this link, within a day: {address}/sign-in#{secret}")
        say(f"serving {address}, data in {settings.data}; stop it with Ctrl-C")
        config = uvicorn.Config(
            server_app(state),
            host=settings.host,
            port=settings.port,
            log_level="warning",
            timeout_graceful_shutdown=STOP_SECONDS,
            timeout_keep_alive=IDLE_SECONDS,
            server_header=False,
            proxy_headers=False,
        )
        # uvicorn passes the signal on when it has stopped; here that is the usual end.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run()
