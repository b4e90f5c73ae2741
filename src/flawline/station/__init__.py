"""Where inspector, records and outputs meet; the feeds, and what a batch writes."""
