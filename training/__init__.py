"""Trains denoising networks and exports them into the model store; it shares no code with the service."""
