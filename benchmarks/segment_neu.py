"""Segmenters of hot-rolled steel (NEU, 3 classes of defects), trained for the same time and tested on its test split.

python benchmarks/segment_neu.py --data PATH/neu_seg/samples.csv --weights PATH/weights --work PATH/work
"""

from segment_race import __doc__ as contenders
from segment_race import race

CLASSES = ("inclusion", "patches", "scratches")

if __name__ == "__main__":
    race(f"{__doc__}\n{contenders}", CLASSES)
