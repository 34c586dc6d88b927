"""Studies that are run by hand, for docs/evaluation.md and the README."""
