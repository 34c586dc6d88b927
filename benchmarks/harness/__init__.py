"""What the scenarios share: processes, clients, servers to compare, tables."""
