"""Go's own rules, where Gorouter's behaviour comes from its language: JSON, YAML, times, URLs, templates, quoting."""
