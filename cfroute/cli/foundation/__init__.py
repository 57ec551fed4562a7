"""Commands for the foundation itself, and what they are made of."""
