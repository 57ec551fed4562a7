"""What the command line remembers between two runs, in `cli.json` of the state folder."""

import msgspec

from cfroute.errors import ConfigurationError
from cfroute.home import Home, write_secretly


class Settings(msgspec.Struct):
    """The targeted org and space by name ("" for none), and the access token of the last run."""

    organization: str = "local"
    space: str = "dev"
    access_token: str = ""


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
