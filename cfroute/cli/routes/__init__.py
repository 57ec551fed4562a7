"""Commands for routes, domains and the routing tables."""
