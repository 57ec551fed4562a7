"""How backends are spoken to by TLS: the rules of a TCP router's `backend_tls`."""

import ssl


def backend_context(ca_file: str, certificate_and_key_file: str | None = None) -> ssl.SSLContext:
    """Trusts the authorities of one file, and shows the certificate of the other. Raises OSError (ssl.SSLError is one)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(ca_file)
    if certificate_and_key_file is not None:
        context.load_cert_chain(certificate_and_key_file)
    return context
