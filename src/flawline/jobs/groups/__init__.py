"""Suggest which pictures show the same part, for the `group` column."""
