"""Go's own rules, where behaviour comes from upstream's language: JSON, YAML, times, URLs, templates, quoting."""
