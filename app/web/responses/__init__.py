"""Build responses: pictures, batches and problems."""
