"""The route registrar: tells the routers where the system's own components are, as long as those are well."""
