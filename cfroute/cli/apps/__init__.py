"""Commands for apps, and what they are made of."""
