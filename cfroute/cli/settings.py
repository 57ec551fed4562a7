"""What the command line remembers between two runs: `cli.json` of the state folder, or `$CF_HOME/.cf/cfroute.json`.

With `CF_HOME` one foundation can be used by several people, or one person be several: each folder has a target of its own.
"""

import os
from pathlib import Path

import msgspec

from cfroute.errors import ConfigurationError
from cfroute.home import Home, write_secretly


class Login(msgspec.Struct):
    """What new tokens are had with: a user's refresh token, or a client's id and secret."""

    refresh_token: str = ""
    client_id: str = ""
    client_secret: str = ""


class Endpoint(msgspec.Struct, frozen=True):
    """A Cloud Controller that was targeted by its URL, and the URLs that it links to; those that it does not have are "".

    login gives tokens, uaa keeps users. ca_cert: a file with the authorities to trust besides the system's.
    """

    url: str
    login: str
    uaa: str = ""
    log_cache: str = ""
    routing: str = ""
    skip_ssl_validation: bool = False
    ca_cert: str = ""


class Settings(msgspec.Struct):
    """The targeted org and space by name ("" for none), who has logged in, the last access token, and where the API is.

    Without an endpoint the API is that of the state folder's foundation; there nobody needs to log in to be the admin.
    """

    organization: str = "local"
    space: str = "dev"
    access_token: str = ""
    login: Login | None = None
    endpoint: Endpoint | None = None

    @property
    def api(self) -> str:
        """The URL of the targeted endpoint; "" for the state folder's foundation."""
        return self.endpoint.url if self.endpoint else ""

    def retarget(self, endpoint: Endpoint | None) -> None:
        """Use another API, logged in as nobody. Nothing of the old one is taken along."""
        fresh = Settings() if endpoint is None else Settings(organization="", space="", endpoint=endpoint)
        for field in self.__struct_fields__:
            setattr(self, field, getattr(fresh, field))


def file(home: Home) -> Path:
    """Where the settings are."""
    folder = os.environ.get("CF_HOME")
    return Path(folder).expanduser().absolute() / ".cf" / "cfroute.json" if folder else home.cli


def load(home: Home) -> Settings:
    """The settings, or the defaults. Raises ConfigurationError for a file that cannot be read or holds something else."""
    path = file(home)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Settings)
    except (FileNotFoundError, NotADirectoryError):  # whoever needs the folder says what is wrong with it
        return Settings()
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}", "name another folder with CFROUTE_HOME or CF_HOME") from error
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"{path}: {error}", "delete the file to start with the defaults") from error


def save(home: Home, settings: Settings) -> None:
    """Keep the settings, readable by their owner only."""
    path = file(home)
    if path == home.cli:
        home.create()
    else:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secretly(path, msgspec.json.encode(settings))
