"""Trains denoising networks and exports them into the model store; shares no code with the service."""
