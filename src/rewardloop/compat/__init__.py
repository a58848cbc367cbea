"""The foreign dialects: their clients work unchanged. Translates, and calls what the native API calls."""
