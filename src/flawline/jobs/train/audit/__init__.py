"""The steps of an audit of labels."""
