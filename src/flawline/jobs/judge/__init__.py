"""Judge tables of defects by a specification."""
