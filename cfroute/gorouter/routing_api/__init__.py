"""The Routing API as a second source of routes."""
