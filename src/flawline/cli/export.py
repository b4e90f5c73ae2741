"""`flawline export`: a recipe for other runtimes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, note, print_json
from flawline.cli.feature_options import Encoding, Limits, Root, open_from_options, print_unjudged
from flawline.cli.recipe_options import RecipeArgument

if TYPE_CHECKING:
    from flawline.jobs.export.exported import Checked, Parity


def export(
    recipe: RecipeArgument,
    to: Annotated[str, typer.Option("--to", help="onnx or openvino.")],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder for the model, export.json and HOW-TO-RUN.md."),
    ] = Path("flawline-export"),
    check: Annotated[
        str | None,
        typer.Option(
            help="Pictures to compare on, 64 at most; 16 drawn ones if not given.", metavar="SOURCE"
        ),
    ] = None,
    limits: Limits = None,
    root: Root = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Write the detector or segmenter as an ONNX or OpenVINO model; refused where it disagrees with the recipe."""
    from contextlib import nullcontext

    from flawline.api.evaluate import export as export_recipe
    from flawline.jobs.export.model_file import check_format

    check_format(to)
    held = (
        open_from_options(check, limits=limits, root=root, encoding=encoding)
        if check
        else nullcontext()
    )
    with held as source:
        exported = export_recipe(recipe, to, out, check=source, track=ProgressBar(quiet=quiet))
    if as_json:
        print_json(exported.document)
    else:
        for line in _lines(exported.checked):
            typer.echo(line)
    print_unjudged(exported.checked.unjudged)
    note(f"wrote {', '.join(map(str, exported.written))}", quiet=quiet)
    return 2 if exported.checked.unjudged else 0


def _lines(done: Checked) -> list[str]:
    """The parity figures, and what coarser arithmetic changes."""
    limit = done.tolerance
    return [
        f"compared on {done.pictures}: {', '.join(f'{n} {name}' for name, n in done.verdicts.items())}",
        f"tolerance {limit.value:.3g}: {limit.share:g} of {limit.spread:.4g}, {limit.basis}",
        f"the exported model: {_differences(done.parity)}",
        *(
            f"for comparison, {name}: {_differences(parity)}"
            for name, parity in done.coarser.items()
        ),
    ]


def _differences(parity: Parity) -> str:
    same = parity.pictures - parity.near - len(parity.different)
    near = f", {parity.near} differ at a threshold" if parity.near else ""
    return (
        f"maps differ by {parity.map_largest:.3g} at most and {parity.map_mean:.3g} on average, "
        f"scores by {parity.score_largest:.3g} at most; {same} of {parity.pictures} verdicts are the same{near}"
    )
