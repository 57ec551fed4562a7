"""What the UAA is needed for: to know who is asking and what people are called, and to answer what is meant for itself."""
