"""Masks in, tables of defects and parts out."""
