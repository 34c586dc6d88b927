"""What operators see of the service: the request log, metrics and stage times."""
