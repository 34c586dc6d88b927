"""Read requests: pictures, query parameters and accepted media types."""
