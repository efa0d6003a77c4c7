# tests/judges/__init__.py
"""What judges the gateway from outside: the clients that front ends use, and the linters of their world."""
