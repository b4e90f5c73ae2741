"""Write the feature table of a source, then use it with polars, scikit-learn and, where it is installed, pandas.

    python examples/features_with_scikit_learn.py [SOURCE]

Without a source, sample castings are drawn into a temporary folder.
"""

from __future__ import annotations

import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import polars as pl
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import flawline
from flawline.features.files import write_table


def main(location: Path, path: Path) -> None:
    names = ["histogram_of_gradients", "level_histogram"]
    written = write_table(flawline.compute_features(location, features=names).table, path)

    frame = pl.read_parquet(path)
    features = frame.drop(written.source_columns)
    print(f"polars: {frame.height} pictures, {features.width} features")
    print(frame.group_by("label").agg(pl.len().alias("pictures")).sort("label"))

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced"))
    predicted = cross_val_predict(model, features.to_numpy(), frame["label"].to_list(), cv=3)
    right = (predicted == frame["label"].to_numpy()).mean()
    print(f"scikit-learn: {100 * right:.0f} % right in three-fold cross-validation")

    if find_spec("pandas") is None:
        print("pandas: not installed")
        return
    import pandas as pd

    # Through CSV, which needs nothing beside pandas; read_parquet does with pyarrow installed.
    frame.write_csv(path.with_suffix(".csv"))
    described = pd.read_csv(path.with_suffix(".csv")).groupby("label").size()
    print(f"pandas: {described.to_dict()}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        if len(sys.argv) > 1:
            parts = Path(sys.argv[1])
        else:
            parts = Path(scratch) / "parts"
            flawline.synth_castings(parts, good=12, bad=6, size=128)
        main(parts, Path(scratch) / "features.parquet")
