"""What things look like in the API. Each function makes the JSON of one thing."""
