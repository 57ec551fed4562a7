"""Finding the component that a person means."""

from collections.abc import Sequence

from cfroute.errors import NotFound


def match(name: str, known: Sequence[str]) -> str:
    """The known component that `name` stands for.

    `gorouter` will do for `gorouter/0` where there is only one, and hyphens for the other separators: `load-balancer`,
    `gorouter-0`. Raises NotFound, with the nearest name as hint.
    """
    wanted = _plain(name)
    exact = [candidate for candidate in known if _plain(candidate) == wanted]
    several = [candidate for candidate in known if _plain(candidate).rpartition("-")[0] == wanted]
    if exact or len(several) == 1:
        return (exact or several)[0]
    if several:
        raise NotFound(f"there are several components {name!r}", f"name one of them: {', '.join(several)}")
    raise NotFound(f"there is no component {name!r}", _nearest(wanted, known))


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace("/", "-")


def _nearest(wanted: str, known: Sequence[str]) -> str:
    import difflib

    plain = {_plain(candidate): candidate for candidate in known}
    near = difflib.get_close_matches(wanted, plain, n=1, cutoff=0.5)
    return f"did you mean {plain[near[0]]}?" if near else f"components: {', '.join(known)}"
