"""TLS towards clients: which certificate they are shown, which they must show, and who is not let in."""

import ssl
from collections.abc import Sequence

from cfroute.gorouter.config import Config
from cfroute.gorouter.config_sections import DomainConfig, TLSPem
from cfroute.gorouter.tls import client_rules
from cfroute.gorouter.tls import contexts as tls
from cfroute.gorouter.tls.identity_domains import IdentityDomains
from cfroute.logs import Logger
from cfroute.proxy.alerts import BAD_CERTIFICATE, NO_APPLICATION_PROTOCOL, RefusedError
from cfroute.proxy.client_hello import ClientHello
from cfroute.proxy.tls_transport import verified_chain


class FrontTerms:
    """The terms of the TLS listener. protocols are those that are offered by ALPN; without any, ALPN is ignored."""

    def __init__(self, config: Config, protocols: Sequence[str], log: Logger) -> None:
        self._log = log
        self._rules = client_rules.rules_of(config)
        self._protocols = frozenset(name.encode() for name in protocols)
        self._domains = IdentityDomains(config) if config.domains else None
        self._contexts = [_context(config, pair, protocols) for pair in config.tls_pem]
        self._of_domains = {
            (domain.domain, position): _domain_context(config, pair, protocols, domain)
            for domain in config.domains
            for position, pair in enumerate(config.tls_pem)
        }
        self._positions: dict[str, int] = {}
        for position, pair in enumerate(config.tls_pem):
            self._positions.update(dict.fromkeys(names(pair.cert_chain), position))  # the last one of a name has it, as in Go

    def context(self, hello: ClientHello) -> ssl.SSLContext:
        """The certificate for the name that is asked for: exact before wildcard before the first one. Raises RefusedError."""
        if self._protocols and hello.protocols and self._protocols.isdisjoint(hello.protocols):
            offered = " ".join(f'"{name.decode("latin-1")}"' for name in hello.protocols)
            reason = f"tls: client requested unsupported application protocols ([{offered}])"
            raise RefusedError(NO_APPLICATION_PROTOCOL, reason)
        name = hello.server_name
        wildcard = "*." + name.partition(".")[2]
        position = self._positions.get(name, self._positions.get(wildcard, 0))
        domain = self._domains.of(name) if self._domains is not None else None
        return self._contexts[position] if domain is None else self._of_domains[domain.domain, position]

    def check(self, client: ssl.SSLObject) -> None:
        """Look whether the rules let this client in. One that resumes a session has been looked at. Raises RefusedError."""
        if not self._rules or client.session_reused:
            return
        violation = client_rules.violation(self._rules, verified_chain(client))
        if violation is not None:
            self._log.warn("invalid-subject", issuer=violation.authority, subject=violation.subject)
            raise RefusedError(BAD_CERTIFICATE, str(violation))


def _context(config: Config, pair: TLSPem, protocols: Sequence[str]) -> ssl.SSLContext:
    context = _certified(config, pair, protocols)
    if config.client_cert_validation in ("request", "require"):
        required = config.client_cert_validation == "require"
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
        system = None if config.only_trust_client_ca_certs else ssl.Purpose.CLIENT_AUTH
        tls.trust(context, [config.client_ca_certs] if config.client_ca_certs else [], system)
    return context


def _domain_context(config: Config, pair: TLSPem, protocols: Sequence[str], domain: DomainConfig) -> ssl.SSLContext:
    """For an identity domain: nobody is let in without a certificate of the domain's own authorities."""
    context = _certified(config, pair, protocols)
    context.verify_mode = ssl.CERT_REQUIRED
    tls.trust(context, [domain.ca_certs], None)
    return context


def _certified(config: Config, pair: TLSPem, protocols: Sequence[str]) -> ssl.SSLContext:
    context = tls.server_context(config)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    tls.load_pair(context, pair.cert_chain, pair.private_key)
    return context


def names(chain: str) -> list[str]:
    """What a certificate is shown for, in lower case: its alternative names or, if it has none, its common name."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    certificate = x509.load_pem_x509_certificate(chain.encode())
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        found = extension.value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        found = []
    if not found:
        found = [str(attribute.value) for attribute in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return [name.lower() for name in found]
