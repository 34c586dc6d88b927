"""What other people would write: small services around the same SavedModel, each in its framework's own style."""
