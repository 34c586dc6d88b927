"""Find a handwritten digit in a picture: paper, ink, polarity."""
