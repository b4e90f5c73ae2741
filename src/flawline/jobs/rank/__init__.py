"""Job 1: rank pictures without labels."""
