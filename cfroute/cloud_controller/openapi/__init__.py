"""The description of the API that is served at `/openapi.json`, put together from the endpoints and their tables."""
