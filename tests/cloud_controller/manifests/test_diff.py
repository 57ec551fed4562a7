from cfroute.cloud_controller.manifests.diff import diff

EXISTING = {
    "a": {
        "name": "a",
        "memory": "64M",
        "instances": 1,
        "env": {"A": "1"},
        "routes": [{"route": "a.d", "protocol": "http1"}],
        "processes": [{"type": "web", "instances": 1}],
        "services": ["one"],
    }
}


def test_an_app_that_is_not_there_is_added_key_by_key() -> None:
    assert diff([{"name": "b", "instances": 2, "path": "/x"}], EXISTING) == [
        {"op": "add", "path": "/applications/0/name", "value": "b"},
        {"op": "add", "path": "/applications/0/instances", "value": 2},
    ]


def test_the_same_written_otherwise_is_no_difference() -> None:
    same = {"name": "a", "memory": "65536K", "env": {"A": 1}, "services": [{"name": "one"}], "default_route": True}
    assert diff([same], EXISTING) == []


def test_lists_are_compared_by_what_identifies_their_entries() -> None:
    changed = {
        "name": "a",
        "memory": "1G",
        "env": {"A": "2", "B": "3"},
        "routes": [{"route": "new.d"}, {"route": "a.d", "protocol": "http2"}],
    }
    assert diff([changed], EXISTING) == [
        {"op": "replace", "path": "/applications/0/memory", "was": "64M", "value": "1024M"},
        {"op": "replace", "path": "/applications/0/env/A", "was": "1", "value": "2"},
        {"op": "add", "path": "/applications/0/env/B", "value": "3"},
        {"op": "add", "path": "/applications/0/routes/0", "value": {"route": "new.d"}},
        {"op": "replace", "path": "/applications/0/routes/1/protocol", "was": "http1", "value": "http2"},
    ]


def test_null_removes() -> None:
    assert diff([{"name": "a", "instances": None}], EXISTING) == [{"op": "remove", "path": "/applications/0/instances", "was": 1}]


def test_values_that_cannot_be_read_are_shown_as_they_are() -> None:
    assert diff([{"name": "a", "memory": "much"}], EXISTING) == [
        {"op": "replace", "path": "/applications/0/memory", "was": "64M", "value": "much"}
    ]
