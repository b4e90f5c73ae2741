"""Migrations of the schema, one file each, applied in order when records are opened."""
