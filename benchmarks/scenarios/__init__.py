"""What docs/benchmarks.md reports: each module measures one thing."""
