"""What stands in the configuration file of each component, as the plan, the options and the secrets have it."""
