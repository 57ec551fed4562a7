"""A proxy in front of the load balancer, and the broker that tells it what to do: the static, brokered model."""
