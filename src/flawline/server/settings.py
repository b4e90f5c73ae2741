"""Settings of a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flawline.errors import UsageError
from flawline.types import EMPTY

LOOPBACK = ("127.0.0.1", "::1", "localhost")
PORT = 8765


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """Settings of a server.

    `data` is a folder of its own: records (where `store` names no other), pictures, jobs. `hosts` are names under which
    browsers may ask for it beside the loopback ones. `most_upload` bounds a request and `most_picture` one picture to
    judge, in bytes. `workers` pictures are judged at once, 0 for one per core, and `waiting` more may wait; then
    requests are refused for a moment. `session_hours` is how long a browser stays signed in. `folders` are folders of
    pictures on this machine by the name under which people choose them. `kept` is the folder or URL of the pictures of
    records, in `data` where it is None.
    """

    data: Path
    store: str | None = None
    recipes: tuple[Path, ...] = ()
    host: str = "127.0.0.1"
    port: int = PORT
    hosts: tuple[str, ...] = ()
    most_upload: int = 2 * 1024**3
    most_picture: int = 200 * 1024**2
    workers: int = 0
    waiting: int = 64
    session_hours: float = 12.0
    folders: Mapping[str, Path] = field(default_factory=lambda: EMPTY)
    kept: str | Path | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that make no sense."""
        if not 0 <= self.port < 65536:
            raise UsageError(f"expected a port from 0 to 65535, got {self.port}")
        for name in ("most_upload", "most_picture", "waiting", "session_hours"):
            if getattr(self, name) <= 0:
                raise UsageError(f"expected `{name}` above 0, got {getattr(self, name)}")
        for name, folder in self.folders.items():
            if not folder.exists():
                raise UsageError(
                    f"there is no folder {folder}, which `folder` calls {name!r}",
                    hint="name folders of this machine",
                )

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches the server."""
        return self.host in LOOPBACK

    @property
    def store_url(self) -> str:
        """Name the records: those of the data folder where no other are named."""
        return self.store or str(self.data / "records.db")

    @property
    def pictures(self) -> str | Path:
        """The folder or URL of pictures, maps and recipes."""
        return self.kept or self.data / "pictures"
