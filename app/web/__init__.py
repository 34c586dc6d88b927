"""HTTP: what a request may ask and what a response looks like, without touching pixels."""
