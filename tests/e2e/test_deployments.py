"""While an app is deployed, every request is answered, with what was asked for."""

import contextlib
import http.client
import itertools
import json
import threading
import time

import pytest

from cfroute.cloud_controller.deployments.worker import NAP

pytestmark = pytest.mark.e2e


class Traffic:
    """Requests from a few clients on kept connections, each with a body of its own, until stopped."""

    def __init__(self, foundation, host, clients=3):
        self.wrong, self.answered, self.instances = [], 0, set()
        self._where = ("127.0.0.1", foundation.port), f"{host}.{foundation.info['domain']}"
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _run(self, client):
        (address, host), numbers = self._where, itertools.count()
        connection = http.client.HTTPConnection(*address, timeout=30)
        with contextlib.closing(connection):
            while not self._stopped.is_set():
                body = f"{client}-{next(numbers)}-" + "x" * 3000
                try:
                    connection.request("POST", "/", body=body, headers={"Host": host})
                    answer = connection.getresponse()
                    self._check(answer.status, answer.read(), body)
                except (OSError, http.client.HTTPException, ValueError) as error:
                    self.wrong.append(repr(error))
                    connection.close()

    def _check(self, status, answer, body):
        if status != 200 or json.loads(answer)["body"] != body:
            self.wrong.append((status, answer[:200]))
        else:
            self.answered += 1
            self.instances.add(json.loads(answer)["instance"]["guid"])


class Api:
    """The v3 API, on one connection for each request."""

    def __init__(self, foundation):
        self._foundation = foundation
        self._token = foundation.ok("oauth-token").strip()
        self.app = self("GET", "/v3/apps?names=web")["resources"][0]["guid"]

    def __call__(self, method, path, body=None):
        """The JSON of the answer; None while nobody answers."""
        address = self._foundation.info["api"].partition("//")[2]
        connection = http.client.HTTPConnection(address, timeout=30)
        with contextlib.closing(connection):
            try:
                connection.request(method, path, json.dumps(body) if body else None, {"Authorization": self._token})
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException):
                return None
        assert answer.status < 300, text
        return json.loads(text) if text else None

    def deploy(self, **fields):
        body = {"relationships": {"app": {"data": {"guid": self.app}}}, **fields}
        return self("POST", "/v3/deployments", body)["guid"]

    def reason(self, deployment):
        shown = self("GET", f"/v3/deployments/{deployment}")
        return shown and shown["status"]["reason"]

    def instances(self):
        """The guids of all instances of the app, by its web processes."""
        found = self("GET", f"/v3/apps/{self.app}/processes")["resources"]
        stats = [self("GET", f"/v3/processes/{each['guid']}/stats")["resources"] for each in found]
        return [{each["instance_guid"] for each in of_one if each["state"] == "RUNNING"} for of_one in stats]


@pytest.fixture(scope="module")
def api(foundation):
    foundation.ok("push", "web", "--sample", "echo", "-i", "3")
    return Api(foundation)


def test_a_rolling_deployment(foundation, api, until):
    (before,) = api.instances()
    with Traffic(foundation, "web") as traffic:
        deployment = api.deploy()
        until(lambda: api.reason(deployment) == "DEPLOYED", "the end")
        (after,) = api.instances()
        until(lambda: after <= traffic.instances, "requests to all new instances")
        done = traffic.answered
        until(lambda: traffic.answered > done + 50, "more requests")
    assert not traffic.wrong
    assert (len(after), before & after) == (3, set())


def test_a_canary_that_is_continued(foundation, api, until):
    with Traffic(foundation, "web") as traffic:
        deployment = api.deploy(strategy="canary", options={"max_in_flight": 3})
        until(lambda: api.reason(deployment) == "PAUSED", "the pause")
        old, (canary,) = api.instances()
        until(lambda: {canary} | old <= traffic.instances, "requests to the canary, and to the others")
        assert len(old) == 3
        api("POST", f"/v3/deployments/{deployment}/actions/continue")
        until(lambda: api.reason(deployment) == "DEPLOYED", "the end")
        (after,) = api.instances()
        until(lambda: after <= traffic.instances, "requests to all new instances")
    assert not traffic.wrong
    assert canary in after
    assert not old & after


def test_a_canary_that_is_cancelled(foundation, api, until):
    (before,) = api.instances()
    with Traffic(foundation, "web") as traffic:
        deployment = api.deploy(strategy="canary")
        until(lambda: api.reason(deployment) == "PAUSED", "the pause")
        api("POST", f"/v3/deployments/{deployment}/actions/cancel")
        until(lambda: api.reason(deployment) == "CANCELED", "the end")
        until(lambda: api.instances() == [before], "what was there before")
        done = traffic.answered
        until(lambda: traffic.answered > done + 50, "more requests")
    assert not traffic.wrong


def test_what_is_cancelled_half_way_gets_its_old_instances_back_first(foundation, api, until):
    with Traffic(foundation, "web") as traffic:
        deployment = api.deploy(strategy="canary", options={"canary": {"steps": [{"instance_weight": 67}]}})
        until(lambda: api.reason(deployment) == "PAUSED", "the pause")
        until(lambda: [len(each) for each in api.instances()] == [2, 2], "one old instance less")
        api("POST", f"/v3/deployments/{deployment}/actions/cancel")
        until(lambda: api.reason(deployment) == "CANCELED", "the end")
        until(lambda: [len(each) for each in api.instances()] == [3], "as many as before")
    assert not traffic.wrong


def test_the_cloud_controller_is_killed_meanwhile(foundation, api, until):
    (before,) = api.instances()
    with Traffic(foundation, "web") as traffic:
        deployment = api.deploy()
        until(lambda: len(api.instances()[1:]) == 1, "the new process")
        foundation.ok("kill", "cloud_controller")
        until(lambda: api.reason(deployment) == "DEPLOYED", "the end")
        (after,) = api.instances()
    assert not traffic.wrong
    assert not before & after


def test_a_deployment_of_one_instance_is_done_soon(foundation, api, until):
    foundation.ok("scale", "web", "-i", "1")
    until(lambda: [len(each) for each in api.instances()] == [1], "one instance")
    deployment = api.deploy()
    until(lambda: len(api.instances()) == 1 or api.instances()[1], "the new instance")
    ready = time.monotonic()
    until(lambda: api.reason(deployment) == "DEPLOYED", "the end")
    assert time.monotonic() - ready < NAP / 2, "the deployment is looked after only when it has slept in vain"
