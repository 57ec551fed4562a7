"""What the router tells of requests: access lines and their targets, events for metron, lines about attempts."""
