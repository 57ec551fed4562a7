"""Commands for everything else."""
