"""Deployments: an app's web process is replaced by a new one while requests go on."""
