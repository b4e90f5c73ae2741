"""Compare pictures with a golden sample."""
