"""`flawline cluster`: what looks alike."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flawline.cli.console import AsJson, ProgressBar, Quiet, note, print_json, printable
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
    print_notes,
    print_unjudged,
)
from flawline.cli.unfinished import note_start_over

if TYPE_CHECKING:
    from flawline.jobs.cluster.clustering import Clustering


def cluster(
    source: SourceArgument,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for clusters.csv, .json, report.html.")
    ] = Path("flawline-clusters"),
    clusters: Annotated[
        str, typer.Option(help='Number of clusters, or "auto" to let the data choose.')
    ] = "auto",
    method: Annotated[str, typer.Option(help="kmeans or hdbscan.")] = "kmeans",
    min_cluster: Annotated[
        int, typer.Option(help="Fewest pictures of a cluster (hdbscan and auto).", min=2)
    ] = 8,
    features: Features = DEFAULT_FEATURES,
    backbone: Backbone = "flawline-small",
    weights: Weights = None,
    preparation: Preparation = None,
    size: Size = None,
    precision: Precision = "auto",
    seed: Annotated[int, typer.Option(help="Seed of k-means.", min=0)] = 0,
    good: Good = None,
    bad: Bad = None,
    value_range: ValueRange = None,
    limits: Limits = None,
    root: Root = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Group pictures that look alike, without using labels, and show what is typical of each group."""
    from flawline.api.features import cluster as cluster_source
    from flawline.jobs.cluster.clustering_files import write_clustering
    from flawline.jobs.cluster.clustering_tables import clustering_as_dict

    span = parse_range(value_range)
    out.mkdir(parents=True, exist_ok=True)
    unfinished = out / ".unfinished"
    note_start_over(unfinished, quiet=quiet)
    with open_from_options(source, good, bad, limits, root, encoding) as opened:
        clustering = cluster_source(
            opened,
            clusters=int(clusters) if clusters.isdecimal() else clusters,
            method=method,
            min_cluster=min_cluster,
            features=features,
            backbone=backbone,
            weights=weights,
            preparation=preparation,
            size=size,
            precision=precision,
            value_range=span,
            seed=seed,
            unfinished=unfinished,
            track=ProgressBar(quiet=quiet),
        )
        report = write_clustering(clustering, opened, out, value_range=span)
        summary = opened.summary()
    unfinished.unlink(missing_ok=True)
    if as_json:
        print_json(clustering_as_dict(clustering))
    else:
        print_clustering(clustering)
        print_unjudged(clustering.unjudged)
    print_notes(summary, [], quiet=quiet)
    note(f"wrote {out / 'clusters.csv'}, {out / 'clusters.json'}", quiet=quiet)
    note(f"report: {report}", quiet=quiet)
    return 2 if clustering.unjudged else 0


def print_clustering(clustering: Clustering) -> None:
    """The clusters as a table, and how they agree with the labels in one sentence."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from flawline.jobs.cluster.clustering import cluster_name

    labels = list(clustering.labels)
    counts = clustering.label_counts()
    table = Table(box=None, pad_edge=False)
    table.add_column("cluster", justify="right")
    table.add_column("pictures", justify="right")
    for label in labels:
        table.add_column(Text(printable(label)), justify="right")
    table.add_column("most typical", overflow="fold")
    for number, members in clustering.members().items():
        cells = [str(counts[number][label] or "") for label in labels]
        name = Text(printable(members[0].sample.name))
        table.add_row(cluster_name(number), str(len(members)), *cells, name)
    console = Console(highlight=False)
    console.print(table)
    if known := clustering.agreement:
        console.print(
            f"agreement with {known.labelled} labels: adjusted Rand index "
            f"{known.adjusted_rand:.3f}, normalised mutual information {known.mutual_information:.3f}",
            style="bold",
        )
