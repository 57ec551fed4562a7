"""User-provided service instances, and route service URLs above all."""

import pytest

from cfroute.cloud_controller.validation import services


@pytest.mark.parametrize(
    ("url", "messages"),
    [
        (None, []),
        ("", []),
        ("https://logger.cf.localhost", []),
        ("https://logger.cf.localhost:8443/a?b=c", []),
        ("HTTPS://logger", []),
        ("http://logger.cf.localhost", ["Route service url must be https"]),
        ("ftp://x.y", ["Route service url must be https"]),
        ("nonsense", ["Route service url must be a valid URI", "Route service url must be https"]),
        ("https://a b", ["Route service url must be a valid URI"]),
        ("https://a:x", ["Route service url must be a valid URI"]),
        ("https:///path", ["service_instance route_service_url_invalid"]),
        ("https://.x.y", ["service_instance route_service_url_invalid"]),
        (7, ["Route service url must be a valid URI", "Route service url must be https"]),
    ],
)
def test_route_service_urls(url: object, messages: list[str]) -> None:
    assert services.route_service_url_problems(url) == messages


def test_service_instances() -> None:
    good = {"name": "x", "type": "user-provided", "relationships": {"space": {"data": {"guid": "s"}}}}
    assert services.create_problems(good) == []
    bad = {**good, "tags": "x", "credentials": [], "syslog_drain_url": "x", "color": 1}
    assert services.create_problems(bad) == [
        "Unknown field(s): 'color'",
        "Tags must be a list of strings",
        "Credentials must be an object",
        "Syslog drain url must be a valid URI",
    ]
    assert services.update_problems({"tags": ["x" * 2049]}) == [
        "Tags combined length must be less than or equal to 2048 characters"
    ]
