"""Where the digit is: paper, ink, polarity."""
