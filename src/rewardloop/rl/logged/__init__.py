"""Episodes that somebody logged: their file, recording them, what a policy would have earned in them, reading them from the log."""
