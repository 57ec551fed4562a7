"""Certificates as their users see them: real TLS between two ends of a socket."""

import socket
import ssl
import threading
from pathlib import Path

import pytest

from cfroute import certificates
from cfroute.foundation.options import Given
from cfroute.foundation.preparation import Foundation, prepare, prepare_up
from cfroute.home import Home


@pytest.fixture
def prepared(home: Home) -> Foundation:
    return prepare_up(home, Given(http_port=0, https_port=0, api_port=0, tcp_ports="0", domain="apps.test"))


def _authority(home: Home, client: str | None) -> Path:
    if client is None:
        return home.trusted
    return home.routing_api_ca if client == "routing_api_client" else home.components_ca


def shake_hands(home: Home, server: str, name: str, client: str | None = None) -> None:
    """A TLS handshake with the identity `server` under `name`, with `client` as the client's identity.

    Raises ssl.SSLError when either side refuses the other.
    """
    authority = _authority(home, client)
    offered = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority))
    offered.load_cert_chain(home.certificate(server), home.key(server))
    offered.verify_mode = ssl.CERT_REQUIRED if client else ssl.CERT_NONE
    trusting = ssl.create_default_context(cafile=str(authority))
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    if client:
        trusting.load_cert_chain(home.certificate(client), home.key(client))
    theirs, ours = socket.socketpair()

    def serve() -> None:
        with theirs, offered.wrap_socket(theirs, server_side=True) as tls:
            tls.sendall(b"hello")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with ours, trusting.wrap_socket(ours, server_hostname=name) as tls:
            assert tls.recv(5) == b"hello"
    finally:
        thread.join()


@pytest.mark.parametrize("name", ["apps.test", "music.apps.test", "x.tcp.apps.test", "localhost", "127.0.0.1"])
def test_the_load_balancer_under_all_its_names(prepared: Foundation, name: str) -> None:
    shake_hands(prepared.home, "load_balancer", name)


@pytest.mark.parametrize(
    ("server", "vm"), [("bbs", "diego_database/0"), ("locket", "diego_database/0"), ("cloud_controller", "cloud_controller/0")]
)
@pytest.mark.parametrize("client", ["cell", "route_emitter", "cloud_controller", "routing_api_locket"])
def test_components_under_their_addresses_with_mutual_tls(prepared: Foundation, server: str, vm: str, client: str) -> None:
    shake_hands(prepared.home, server, prepared.plan.vms[vm].address, client)


def test_the_routing_api_and_its_clients(prepared: Foundation) -> None:
    shake_hands(prepared.home, "routing_api", prepared.plan.vms["routing_api/0"].address, "routing_api_client")


def test_a_tcp_router_has_its_certificate_for_backends_in_one_file(prepared: Foundation) -> None:
    context = ssl.create_default_context(cafile=str(prepared.home.ca))
    context.load_cert_chain(prepared.home.pair("tcp_router_backends"))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nobody_is_taken_for_somebody_else(prepared: Foundation) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(prepared.home, "uaa", "music.apps.test")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("stranger", ["load_balancer", "gorouter", "uaa", "tcp_router_backends", "routing_api_client"])
def test_what_people_and_apps_trust_opens_no_door_of_diego(prepared: Foundation, stranger: str) -> None:
    with pytest.raises(ssl.SSLError):
        shake_hands(prepared.home, "bbs", prepared.plan.vms["diego_database/0"].address, stranger)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_apps_do_not_trust_the_authority_of_the_components(prepared: Foundation) -> None:
    shake_hands(prepared.home, "uaa", prepared.plan.vms["uaa/0"].address)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(prepared.home, "bbs", prepared.plan.vms["diego_database/0"].address)


def test_an_authority_that_is_gone_is_made_anew_with_what_it_has_signed(prepared: Foundation) -> None:
    home = prepared.home
    kept, gone = home.certificate("uaa").read_bytes(), home.certificate("bbs").read_bytes()
    home.components_ca.unlink()
    prepare(home)
    assert home.certificate("uaa").read_bytes() == kept
    assert home.certificate("bbs").read_bytes() != gone
    shake_hands(home, "bbs", prepared.plan.vms["diego_database/0"].address, "cell")


def test_a_certificate_names_its_units(prepared: Foundation) -> None:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    authority = certificates.make_authority("another CA", 1_700_000_000.0)
    pair = certificates.issue(authority, "instance", [], 1_700_000_000.0, units=["app:1", "space:2"], days=1)
    made = x509.load_pem_x509_certificate(pair.certificate)
    units = made.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    assert [unit.value for unit in units] == ["app:1", "space:2"]
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days == 1
