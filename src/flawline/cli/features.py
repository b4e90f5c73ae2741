"""`flawline features`: the feature table of a source."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, TableOut, print_json
from flawline.cli.feature_options import (
    DEFAULT_FEATURES,
    Backbone,
    Bad,
    Encoding,
    Features,
    Good,
    Limits,
    Precision,
    Preparation,
    Root,
    Size,
    SourceArgument,
    ValueRange,
    Weights,
    open_from_options,
    parse_range,
    picture_notes,
    print_notes,
    print_unjudged,
)
from flawline.cli.fleet import OnOption, features_on, folder_beside_on
from flawline.cli.unfinished import note_start_over

if TYPE_CHECKING:
    from flawline.features.compute import ComputedFeatures
    from flawline.features.files import TableFile


def features(
    context: typer.Context,
    source: SourceArgument,
    out: TableOut = Path("features.parquet"),
    features: Features = DEFAULT_FEATURES,
    backbone: Backbone = "flawline-small",
    weights: Weights = None,
    preparation: Preparation = None,
    size: Size = None,
    precision: Precision = "auto",
    good: Good = None,
    bad: Bad = None,
    value_range: ValueRange = None,
    limits: Limits = None,
    root: Root = None,
    encoding: Encoding = None,
    on: OnOption = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Write the features of every picture as one table, for any other tool."""
    from flawline.api.features import compute_features
    from flawline.api.settings import feature_settings
    from flawline.data.tables import check_output
    from flawline.features.files import write_table

    span = parse_range(value_range)
    if on is not None:
        return features_on(
            on,
            partial(open_from_options, source, good, bad, limits, root, encoding),
            folder_beside_on(context, out, "flawline-features"),
            feature_settings(features, backbone, preparation, size, precision, span, weights),
            as_json=as_json,
            quiet=quiet,
        )
    check_output(out).parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f".{out.name}.unfinished")
    note_start_over(unfinished, quiet=quiet)
    with open_from_options(source, good, bad, limits, root, encoding) as opened:
        computed = compute_features(
            opened,
            features=features,
            backbone=backbone,
            weights=weights,
            preparation=preparation,
            size=size,
            precision=precision,
            value_range=span,
            unfinished=unfinished,
            track=ProgressBar(quiet=quiet),
        )
        written = write_table(computed.table, out)
        summary = opened.summary()
    unfinished.unlink(missing_ok=True)
    if as_json:
        print_json(_as_dict(Path(source).name, computed, written))
    else:
        rows, columns = computed.table.values.shape
        typer.echo(f"{out}: {rows} pictures, {columns} features")
        print_unjudged(computed.table.unjudged)
    renamed = [f"column {old!r} is called {new!r}" for old, new in written.renamed.items()]
    print_notes(summary, [*picture_notes(computed.table.notes), *renamed], quiet=quiet)
    return 2 if computed.table.unjudged else 0


def _as_dict(source: str, computed: ComputedFeatures, written: TableFile) -> dict[str, Any]:
    from flawline.version import __version__

    return {
        "source": source,
        "settings": {**computed.described(), "flawline": __version__},
        "table": str(written.path),
        "pictures": len(computed.table.samples),
        "source_columns": list(written.source_columns),
        "renamed": dict(written.renamed),
        "columns": [{"name": c.name, "text": c.text} for c in computed.table.columns],
        "unjudged": [item.as_dict() for item in computed.table.unjudged],
    }
