"""HTTP: what a request may ask, what a response looks like. No pixels."""
