"""Milliseconds from a picture file to a verdict with a recipe of a segmenter, by stage and streamed.

The paper behind the published heat sinks quotes 14.1 ms a picture for its network alone, on a GPU. The recipe is one
that `flawline train segment` made; pictures are read as they are, so give those of 256 x 256 px for comparison.

python benchmarks/segment_inspect.py --recipe part.flaw --data PATH/images
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from flawline.data.cores import cpu_count
from flawline.data.source import open_source
from flawline.inspector import Inspector
from flawline.inspector.inspection import Inspection

PUBLISHED = 14.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", required=True, type=Path)
    parser.add_argument("--data", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--most", type=int, default=300, help="pictures")
    options = parser.parse_args()
    inspector = Inspector.open(options.recipe)
    with open_source(options.data) as source:
        samples = list(source.samples())[: options.most]
        content = {sample.name: source.read(sample.name) for sample in samples}
        for data in list(content.values())[:5]:
            inspector.inspect(data)
        found = [inspector.inspect(data) for data in content.values()]
        stages = list(found[0].timings)
        for stage in stages:
            times = [one.timings[stage] for one in found]
            print(f"{stage:<10} {statistics.median(times):7.2f} ms")
        whole = statistics.median(sum(one.timings.values()) for one in found)
        regions = statistics.mean(len(one.regions) for one in found)
        print(f"{'one by one':<10} {whole:7.2f} ms, {regions:.1f} regions a picture")
        rates = []
        for _ in range(options.rounds):
            began = time.perf_counter()
            results = [result for _, result in inspector.inspect_many(source, samples)]
            assert all(isinstance(result, Inspection) for result in results)
            rates.append(1000 * (time.perf_counter() - began) / len(samples))
    spread = f"{statistics.median(rates):7.2f} ms ({min(rates):.2f} to {max(rates):.2f})"
    print(f"{'streamed':<10} {spread}; published for the network alone on a GPU: {PUBLISHED}")
    print(f"{inspector.precision}, {len(samples)} pictures, {cpu_count()} cores")


if __name__ == "__main__":
    main()
