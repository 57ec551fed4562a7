"""What changes the database on behalf of more than one request: both the API and manifests create routes and apps."""
