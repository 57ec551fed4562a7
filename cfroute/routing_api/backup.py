"""The locks of backup and restore: while the database is copied or replaced, router groups are left alone."""

from cfroute.routing_api.errors import BACKUP, unavailable


class BackupLocks:
    """Whether router groups may be read and written now."""

    def __init__(self) -> None:
        self.reads_locked = False
        self.writes_locked = False

    def check_read(self) -> None:
        """Raises ApiError while reading is locked."""
        if self.reads_locked:
            raise unavailable(BACKUP)

    def check_write(self) -> None:
        """Raises ApiError while reading or writing is locked: what writes has to read first."""
        self.check_read()
        if self.writes_locked:
            raise unavailable(BACKUP)
