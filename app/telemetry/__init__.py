"""What can be seen from outside: request log, metrics, timing."""
