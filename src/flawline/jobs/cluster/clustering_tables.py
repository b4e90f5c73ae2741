"""Write a clustering as JSON and CSV; the same clustering gives the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flawline.data.csv_file import write_csv_rows
from flawline.data.json_file import write_json_document
from flawline.jobs.cluster.clustering import Clustering, cluster_name


def clustering_as_dict(clustering: Clustering) -> dict[str, Any]:
    """Build the JSON document that `flawline cluster` prints."""
    known = clustering.agreement
    counts = clustering.label_counts()
    return {
        "source": clustering.source,
        "settings": dict(clustering.settings),
        "clusters": [
            {
                "cluster": cluster_name(number),
                "pictures": len(members),
                "labels": {
                    str(label): count
                    for label, count in sorted(
                        (pair for pair in counts[number].items() if pair[0] is not None),
                        key=lambda pair: str(pair[0]),
                    )
                },
                "most_typical": members[0].sample.name,
            }
            for number, members in clustering.members().items()
        ],
        "agreement": known
        and {
            "labelled": known.labelled,
            "adjusted_rand": round(known.adjusted_rand, 6),
            "normalised_mutual_information": round(known.mutual_information, 6),
        },
        "pictures": [
            {
                "image": picture.sample.name,
                "label": picture.sample.label,
                "cluster": cluster_name(picture.cluster),
                "distance": picture.distance,
                "rank": picture.rank,
            }
            for picture in clustering.pictures
        ],
        "unjudged": [item.as_dict() for item in clustering.unjudged],
    }


def write_json(clustering: Clustering, path: Path) -> Path:
    """Write the clustering as one JSON document."""
    return write_json_document(path, clustering_as_dict(clustering))


def write_csv(clustering: Clustering, path: Path) -> Path:
    """Write one row per picture: image, label, cluster, distance, rank, note.

    Pictures that could not be judged follow with the reason, so that no input is lost.
    """
    rows: list[tuple[object, ...]] = [
        (p.sample.name, p.sample.label, cluster_name(p.cluster), p.distance, p.rank, None)
        for p in clustering.pictures
    ]
    rows += [
        (item.image, None, None, None, None, f"could not be judged: {item.reason}")
        for item in clustering.unjudged
    ]
    return write_csv_rows(path, ("image", "label", "cluster", "distance", "rank", "note"), rows)
