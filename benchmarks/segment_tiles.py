"""Segmenters of magnetic tiles (Huang et al., 5 classes of defects and free tiles), trained for the same time.

Published for these pictures on another split: mIoU 66.9 (DEU-Net, 2024).

python benchmarks/segment_tiles.py --data PATH/magnetic_tile/samples.csv --weights PATH/weights --work PATH/work
"""

from segment_race import __doc__ as contenders
from segment_race import race

CLASSES = ("blowhole", "break", "crack", "fray", "uneven")

if __name__ == "__main__":
    race(f"{__doc__}\n{contenders}", CLASSES)
