"""The documentation that comes with the package."""

import sys
from importlib import resources

from cfroute.cli import render
from cfroute.cli.command import command
from cfroute.cli.kinds import TEXT
from cfroute.cli.options import argument
from cfroute.cli.session import Session
from cfroute.errors import NotFound


def topics() -> dict[str, str]:
    """Name and title of every topic, in the order in which they are best read."""
    found = {}
    for file in resources.files("cfroute").joinpath("docs").iterdir():
        if file.name.endswith(".md"):
            title = file.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
            found[file.name.removesuffix(".md")] = title
    return dict(sorted(found.items(), key=lambda item: (item[0] != "getting-started", item[0])))


@command(
    "docs",
    usage="cfroute docs [TOPIC]",
    examples=("cfroute docs", "cfroute docs route-services", "cfroute docs errors | less"),
    see_also=("demo", "help"),
    cf_shaped=False,
)
@argument("topic", TEXT, values=topics, required=False)
def docs(session: Session, topic: str | None) -> dict[str, str] | None:
    known = topics()
    if topic is None:
        if not session.for_people:
            return known
        session.print("Topics:")
        session.print(render.block(known.items(), indent="   "))
        session.say()
        session.tip("Use 'cfroute docs TOPIC' to read one")
        return None
    if topic not in known:
        raise NotFound(f"There is no topic '{topic}'.", "'cfroute docs' lists the topics")
    text = resources.files("cfroute").joinpath("docs", f"{topic}.md").read_text(encoding="utf-8")
    if not session.for_people:
        return {"topic": topic, "title": known[topic], "text": text}
    if sys.stdout.isatty():
        render.markdown(text)
    else:
        session.print(text.rstrip())
    return None
