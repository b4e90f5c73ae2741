"""Batch norms in C, optional: `fused_norm` calls them."""
