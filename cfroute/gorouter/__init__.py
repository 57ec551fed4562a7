"""Gorouter: the HTTP router, a drop-in for upstream's."""
