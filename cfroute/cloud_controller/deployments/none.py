"""The API without a foundation: deployments are written down, and begin when it is there."""


class NoDeployments:
    """While the foundation is down."""

    def wake(self) -> None:
        """The worker of the next start looks for itself."""
