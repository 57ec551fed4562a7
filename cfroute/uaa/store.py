"""What the UAA keeps."""

from cfroute.uaa.client_store import Clients
from cfroute.uaa.database import Database
from cfroute.uaa.group_store import Groups
from cfroute.uaa.token_store import Passcodes, Tokens
from cfroute.uaa.user_store import Users


class Store:
    """Clients, users, groups, and the tokens that may be taken back, in one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clients = Clients(database)
        self.groups = Groups(database)
        self.users = Users(database, self.groups)
        self.tokens = Tokens(database)
        self.passcodes = Passcodes(database)

    @classmethod
    def open(cls, path: str) -> "Store":
        """Open or create the file. Raises ConfigurationError when it cannot be used."""
        return cls(Database.open(path))

    def close(self) -> None:
        self.database.close()
