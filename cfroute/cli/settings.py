"""What the command line remembers between two runs, in `cli.json` of the state folder."""

import msgspec

from cfroute.errors import ConfigurationError
from cfroute.home import Home, write_secretly


class Login(msgspec.Struct):
    """What new tokens are had with: a user's refresh token, or a client's id and secret."""

    refresh_token: str = ""
    client_id: str = ""
    client_secret: str = ""


class Settings(msgspec.Struct):
    """The targeted org and space by name ("" for none), who has logged in (None: the admin), and the last access token."""

    organization: str = "local"
    space: str = "dev"
    access_token: str = ""
    login: Login | None = None


def load(home: Home) -> Settings:
    """The settings, or the defaults. Raises ConfigurationError for a file that holds something else."""
    try:
        return msgspec.json.decode(home.cli.read_bytes(), type=Settings)
    except (FileNotFoundError, NotADirectoryError):  # whoever needs the folder says what is wrong with it
        return Settings()
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"{home.cli}: {error}", "delete the file to start with the defaults") from error


def save(home: Home, settings: Settings) -> None:
    """Keep the settings, readable by their owner only."""
    home.create()
    write_secretly(home.cli, msgspec.json.encode(settings))
