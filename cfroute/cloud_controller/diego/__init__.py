"""What Diego is told: builds, and the processes that are to run."""
