"""One picture from bytes to bytes: admitted, decoded, fitted, denoised, restored, encoded."""
