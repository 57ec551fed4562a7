"""What is targeted, as far as commands look at it before they say or ask anything."""

from .conftest import Run

OF_AN_ORG = (
    "check-route apps.example.com",
    "delete-private-domain apps.example.com",
    "delete-route apps.example.com",
    "delete-shared-domain apps.example.com",
    "route apps.example.com",
)
OF_A_SPACE = (
    "delete-orphaned-routes",
    "delete-service limits",
    "delete-service-key limits key",
    "map-route web apps.example.com",
    "move-route apps.example.com -s dev",
    "purge-service-instance limits",
    "unbind-route-service apps.example.com limits",
    "unmap-route web apps.example.com",
    "unshare-service limits -s dev",
    "update-destination web apps.example.com",
    "update-route apps.example.com",
    "upgrade-service limits",
)


def test_what_is_not_targeted_is_told_first(cfroute: Run) -> None:
    cfroute("target", "-o", "nope")
    for line in OF_AN_ORG:
        told = "No org targeted, use 'cfroute target -o ORG' to target an org.\n"
        assert cfroute(*line.split()) == (1, "FAILED\n", told), line
    assert cfroute("create-org", "acme").status == cfroute("target", "-o", "acme").status == 0
    for line in OF_A_SPACE:
        told = "No space targeted, use 'cfroute target -s SPACE' to target a space.\n"
        assert cfroute(*line.split()) == (1, "FAILED\n", told), line
