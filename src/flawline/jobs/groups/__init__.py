"""Which pictures show one part: suggestions for the `group` column."""
