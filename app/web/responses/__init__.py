"""What goes back: pictures, batches, problems."""
