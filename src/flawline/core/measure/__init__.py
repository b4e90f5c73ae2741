"""From class masks to numbers: regions as runs of pixels, and what is measured on them."""
