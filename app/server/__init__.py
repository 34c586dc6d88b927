"""The process on the wire: draining, workers, HTTP/1.1."""
