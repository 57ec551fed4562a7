"""The TCP router: keeps a table of TCP routes from the Routing API, and has an engine carry the bytes."""
