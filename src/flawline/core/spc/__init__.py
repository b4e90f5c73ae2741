"""Statistical process control: charts, run rules, capability, alerts."""
