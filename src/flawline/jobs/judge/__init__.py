"""Tables of defects in, verdicts out."""
