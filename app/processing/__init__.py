"""Take a picture from bytes to bytes: admit, decode, fit, denoise, restore, encode."""
