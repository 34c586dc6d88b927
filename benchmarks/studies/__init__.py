"""Run by hand for docs/evaluation.md and the README."""
