"""How commands reach the API: where it is, who asks, and what is shown of that."""
