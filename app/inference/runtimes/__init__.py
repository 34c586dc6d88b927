"""What runs a network: one module a runtime, and the only one that imports it."""
