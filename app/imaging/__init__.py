"""Turn bytes into pixels and back, with functions on arrays that depend on neither HTTP nor networks."""
