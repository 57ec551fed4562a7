"""App manifests: what they say, which routes they mean, and what they would change. Pure."""
