"""`flawline serve`: the page and its API."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer


def serve(
    data: Annotated[
        Path, typer.Option(help="Folder of the server: records, pictures, jobs.")
    ] = Path("flawline-server"),
    store: Annotated[
        str | None,
        typer.Option(help="Other records: an SQLite file, or postgresql://USER@HOST/DATABASE."),
    ] = None,
    recipe: Annotated[
        list[Path] | None,
        typer.Option(help="A recipe to judge its product with; may be repeated."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for other machines too.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8765,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="A name under which browsers reach the server; may be repeated."),
    ] = None,
    workers: Annotated[
        int, typer.Option(help="Pictures judged at once; 0 for one per core.", min=0)
    ] = 0,
    waiting: Annotated[
        int, typer.Option(help="Pictures that may wait; more are refused for a moment.", min=1)
    ] = 64,
    folder: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=FOLDER: pictures here to rank and train on by that name; may be repeated."
        ),
    ] = None,
    sign_in_link: Annotated[
        bool, typer.Option("--sign-in-link", help="Print a new link for an admin.")
    ] = False,
) -> int:
    """Serve the page: line, review, records, ranking and recipes, with an API; needs the extra [serve]."""
    from flawline.server.serve import serve as run
    from flawline.server.settings import ServeSettings

    settings = ServeSettings(
        data=data,
        store=store,
        recipes=tuple(recipe or ()),
        host=host,
        port=port,
        hosts=tuple(allow_host or ()),
        workers=workers,
        waiting=waiting,
        folders=_folders(folder or ()),
    )
    run(settings, typer.echo, new_link=sign_in_link)
    return 0


def _folders(given: Sequence[str]) -> dict[str, Path]:
    """Read NAME=FOLDER."""
    from flawline.errors import UsageError

    found: dict[str, Path] = {}
    for text in given:
        name, sign, place = text.partition("=")
        if not (sign and name.strip() and place) or name.strip() in found:
            raise UsageError(
                f"--folder takes NAME=FOLDER, each name once, got {text!r}",
                hint="for example --folder castings=/data/castings",
            )
        found[name.strip()] = Path(place)
    return found
