"""Who is asking, and what the scopes of a token let anybody do, wherever it is. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class User:
    """Whom a token speaks for; a client is its own user."""

    guid: str
    name: str
    scopes: frozenset[str]

    @property
    def admin(self) -> bool:
        return "cloud_controller.admin" in self.scopes

    @property
    def sees_everything(self) -> bool:
        return self.sees_secrets or "cloud_controller.global_auditor" in self.scopes

    @property
    def sees_secrets(self) -> bool:
        return self.admin or "cloud_controller.admin_read_only" in self.scopes

    @property
    def may_read(self) -> bool:
        return self.sees_everything or "cloud_controller.read" in self.scopes

    @property
    def may_write(self) -> bool:
        return self.admin or "cloud_controller.write" in self.scopes
