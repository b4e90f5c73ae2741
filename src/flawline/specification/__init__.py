"""Written specifications: what a part may have, and whether it has more."""
