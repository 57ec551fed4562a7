"""What the nursery does once, so that no component has to: what libraries set up at their first use is then shared memory.

The first of it also makes every command quicker.
"""

import sys
from pathlib import Path


def leave_out() -> None:
    """httpx imports its own command line (with click, rich and pygments) and HTTP/2 where it can: 80 ms and 8 MB for nothing."""
    for name in ("httpx._main", "httpcore._async.http2", "httpcore._sync.http2"):
        sys.modules[name] = None  # type: ignore[assignment]  # how the import system says: there is none


def parse_arguments() -> None:
    """argparse compiles its expressions and looks for translations."""
    import argparse

    argparse.ArgumentParser(prog="", description="").parse_args([])


def use_tls(certificate: Path) -> None:
    """OpenSSL looks up its algorithms and decoders: 6 MB. `certificate` has its key beside it; without it, 2 MB are missed."""
    import ssl

    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if certificate.exists():
        server.load_cert_chain(certificate, certificate.with_suffix(".key"))
        client.load_verify_locations(certificate)
