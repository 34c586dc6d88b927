"""What a request carries and asks for."""
