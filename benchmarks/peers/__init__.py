"""What others would write: small services around the same SavedModel, each in the manner of its framework."""
