"""Commands for orgs, spaces and their quotas."""
