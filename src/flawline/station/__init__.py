"""The station, which joins inspector, records and outputs; its feeds, and the files of an inspected source."""
