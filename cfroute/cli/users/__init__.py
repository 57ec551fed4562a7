"""Commands for users, and who is what."""
