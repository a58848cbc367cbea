"""The HTTP service: one supervisor, N worker processes, one port."""
