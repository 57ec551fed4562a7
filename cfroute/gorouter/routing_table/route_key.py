"""Route URIs and the keys they are kept under.

A URI such as `Shop.example.com/Cart/?x=1` is registered under a key: lower case, cut at the `?`, without one trailing and
one leading slash: `shop.example.com/cart`. Nothing else is made canonical: inner empty segments, percent escapes, a
trailing dot of the host and a port all stay, so that a route with a port can never be matched.
"""


def key(uri: str) -> str:
    """The text that `uri` is kept under: `host/segment/segment`."""
    return uri.lower().partition("?")[0].removesuffix("/").removeprefix("/")


def request_key(host: str, path: str) -> str:
    """The key that a request is looked up with: `Host` up to its first colon, and the escaped path."""
    return key(host.partition(":")[0] + path)


def next_wildcard(text: str) -> str | None:
    """The next less specific key to try, or None: `a.w.test/p` -> `*.w.test/p` -> `*.test/p`.

    Upstream steps over the whole key, so the dots of the path take part too: a route `*.html` serves `nope.net/x.html`.
    """
    _, dot, rest = text.removeprefix("*.").partition(".")
    return f"*.{rest}" if dot else None


def split_host(uri: str) -> tuple[str, str]:
    """The host and the context path of a URI, in the case they were registered with.

    The context path is what sticky session cookies get as `Path`: `/` and everything after the first slash, up to the `?`,
    without a trailing slash.
    """
    host, _, path = uri.removeprefix("/").partition("?")[0].partition("/")
    return host, "/" + path.removesuffix("/")
