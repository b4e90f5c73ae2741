"""Written specifications: limits on the defects of a part, and judging parts by them."""
