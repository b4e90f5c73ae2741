"""What Flawline does, one folder a job."""
