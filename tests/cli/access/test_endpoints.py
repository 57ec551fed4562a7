"""Endpoints somewhere else: their URLs, what they say of themselves, and a command line without any foundation."""

import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfroute.cli.access.endpoints import RequestError, described, normalized
from cfroute.cli.settings import file, load
from cfroute.errors import UsageError
from cfroute.home import Home

from ...ports import free_port
from ..conftest import Run


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("api.example.com", "https://api.example.com"),
        ("https://api.example.com/", "https://api.example.com"),
        ("http://127.0.0.1:9022//", "http://127.0.0.1:9022"),
        ("localhost:9022", "https://localhost:9022"),
    ],
)
def test_urls(typed: str, url: str) -> None:
    assert normalized(typed) == url


@pytest.mark.parametrize("typed", ["ftp://x", "https://", "http:///path", "http://x?y=1", "http://x#y"])
def test_what_is_no_url(typed: str) -> None:
    with pytest.raises(UsageError):
        normalized(typed)


KEYS = st.sampled_from(["links", "uaa", "href"])


@given(st.recursive(st.none() | st.text(max_size=3), lambda some: st.dictionaries(KEYS, some)))
def test_what_is_no_cloud_controller(root: object) -> None:
    with pytest.raises(RequestError, match="API endpoint not found at 'https://x'"):
        described("https://x", root, skip=False, ca_cert="")


class Elsewhere(BaseHTTPRequestHandler):
    """The root of a Cloud Controller, and nothing behind it."""

    root: object = None

    def do_GET(self) -> None:
        content = json.dumps(self.root).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", free_port()), Elsewhere)
    place = f"http://127.0.0.1:{server.server_port}"
    version = {"meta": {"version": "3.100.0"}, "href": f"{place}/v3"}
    Elsewhere.root = {"links": {"cloud_controller_v3": version, "login": {"href": f"{place}/uaa"}, "uaa": None}}
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield place
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_endpoint_is_targeted_as_with_cf(cfroute: Run, home: Home, url: str) -> None:
    nobody = "Not logged in. Use 'cfroute login' or 'cfroute login --sso' to log in.\n"
    facts = f"API endpoint:   {url}\nAPI version:    3.100.0\n\n{nobody}"
    warning = "Warning: Insecure http API endpoint detected: secure https API endpoints are recommended"
    assert cfroute("api", url) == (0, f"Setting API endpoint to {url}...\n{warning}\nOK\n\n{facts}", "")
    assert cfroute("api") == (0, facts, "")
    assert stat.S_IMODE(home.cli.stat().st_mode) == 0o600
    refused = (1, "FAILED\n", nobody)
    assert cfroute("target") == refused
    assert cfroute("routes") == refused
    assert load(home).organization == ""
    assert not home.databases.joinpath("ccdb.sqlite").exists()


def test_names_below_localhost_are_this_machine_whatever_the_resolver_says(cfroute: Run, url: str) -> None:
    named = url.replace("127.0.0.1", "api.cf.localhost")
    assert cfroute("api", named).status == 0
    assert cfroute("api", "--json").data["api_endpoint"] == named


def test_a_foundation_is_used_again_when_the_endpoint_is_unset(cfroute: Run, url: str) -> None:
    cfroute("api", url)
    assert cfroute("api", "--unset") == (0, "Unsetting API endpoint...\nOK\n\n", "")
    assert cfroute("api", "--json").data["local"] is True
    assert cfroute("target", "--json").data["org"] == "local"


def test_target_takes_a_url_too(cfroute: Run, url: str) -> None:
    assert cfroute("target", url).err.startswith("Not logged in.")
    assert cfroute("api", "--json").data["api_endpoint"] == url


def test_what_needs_the_processes_of_this_machine_says_so(cfroute: Run, url: str) -> None:
    cfroute("api", url)
    for words in (("table",), ("demo",)):
        refused = cfroute(*words)
        assert refused.status == 1
        assert f"only for the foundation of the state folder, and {url} is targeted" in refused.err
    down = cfroute("status")
    assert down.status == 3
    assert url in down.err


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("http://127.0.0.1:1", "dial tcp 127.0.0.1:1: connect: connection refused"),
        ("https://nope.invalid", "dial tcp: lookup nope.invalid: no such host"),
    ],
)
def test_who_cannot_be_reached(place: str, told: str, cfroute: Run) -> None:
    refused = cfroute("api", place)
    assert (refused.status, refused.out) == (1, f"Setting API endpoint to {place}...\nFAILED\n")
    assert refused.err.startswith(f'Request error: Get "{place}": {told}\nTIP: If you are behind a firewall')


def test_whoever_targets_nothing_is_told_what_is_used_instead(cfroute: Run, home: Home, url: str) -> None:
    """With cf nothing could be used then; and where an endpoint was targeted before, it stays so, as with cf."""
    used = f"TIP: commands go on to use the foundation of the state folder, {home.root}\n"
    assert cfroute("api", "http://127.0.0.1:1").err.endswith(used)
    assert cfroute("login", "-a", "http://127.0.0.1:1", "-u", "a", "-p", "b").err.endswith(used)
    assert cfroute("api", url).status == 0
    assert used not in cfroute("api", "http://127.0.0.1:1").err
    assert cfroute("api", "--json").data["api_endpoint"] == url


@pytest.mark.parametrize(("words", "name"), [(("api",), "URL"), (("login", "-u", "a", "-p", "b"), "-a")], ids=["api", "login"])
def test_how_to_verify_is_of_the_targeted_endpoint_where_none_is_named(
    words: tuple[str, ...], name: str, cfroute: Run, home: Home, url: str
) -> None:
    alone = cfroute(*words, "--skip-ssl-validation")
    assert alone.status == 1
    assert f"Incorrect Usage: '--skip-ssl-validation' and '{name}' must be used together." in alone.err
    assert cfroute("api", url).status == 0
    cfroute(*words, "--skip-ssl-validation")  # nobody can log in there
    endpoint = load(home).endpoint
    assert endpoint is not None
    assert (endpoint.url, endpoint.skip_ssl_validation) == (url, True)


def test_the_endpoint_that_is_verified_otherwise_is_named(cfroute: Run, url: str) -> None:
    cfroute("api", url)
    assert cfroute("api", "--skip-ssl-validation").out.startswith(f"Setting API endpoint to {url}...\n")


def test_plain_http_behind_a_url_with_https(cfroute: Run, url: str) -> None:
    assert "tls: " in cfroute("api", url.replace("http:", "https:")).err


def test_a_home_of_cf_has_a_target_of_its_own(cfroute: Run, home: Home, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CF_HOME", str(home.root.with_name("cf")))
    assert cfroute("api", url).status == 0
    kept = file(home)
    assert kept == home.root.with_name("cf") / ".cf" / "cfroute.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    monkeypatch.delenv("CF_HOME")
    assert cfroute("api", "--json").data["local"] is True


def test_urls_exclude_the_way_back(cfroute: Run) -> None:
    assert "cannot be used together: URL, --unset" in cfroute("api", "http://x", "--unset").err
