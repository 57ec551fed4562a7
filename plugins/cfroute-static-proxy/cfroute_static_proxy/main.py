"""The program: the proxy on one port, its broker on another. Both stand outside of the foundation."""

import argparse
import http.client
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from cfroute_broker.forwarding import NoTarget, Target, connect, forward
from cfroute_broker.osbapi import Answer, Broker, Request
from cfroute_broker.serving import Handler, Keeper, locked, say, serve, server
from cfroute_static_proxy.offer import StaticProxy
from cfroute_static_proxy.policies import MARK, Policies


class Proxy:
    """Sends every request on to the load balancer; those of a bound route as their policy says."""

    def __init__(self, upstream: Target, policies: Policies) -> None:
        self._upstream, self._policies = upstream, policies

    def handle(self, handler: Handler) -> None:
        """One request. Without a policy nothing is added but the client in X-Forwarded-For, as every proxy does."""
        host = handler.headers.get("Host", "")
        policy = self._policies.find(host, handler.path)
        mark = {MARK: policy.route} if policy else {}
        if policy and policy.denies(handler.path):
            return handler.answer(403, b"forbidden by the policy of this route\n", **mark)
        up = self._upstream
        target = Target(up.scheme, up.host, up.port, host, handler.path)
        try:
            connection = connect(up, skip_validation=True)
            forward(handler, connection, target, headers=policy.headers if policy else {}, answer_headers=mark)
        except (OSError, http.client.HTTPException) as error:
            say(f"no answer from the load balancer: {error}")
            handler.answer(502, b"no answer from the load balancer\n", **mark)
        return None


class Desk:
    """The broker's port: /v2, and /routes for looking at what holds."""

    def __init__(self, broker: Callable[[Request], Answer], policies: Policies) -> None:
        self._broker, self._policies = broker, policies

    def handle(self, handler: Handler) -> None:
        """One request."""
        if handler.path == "/routes" and handler.command == "GET":
            policies = [asdict(policy) for policy in self._policies.all()]
            handler.answer(200, json.dumps(policies).encode(), "application/json")
        elif (request := handler.to_broker()) is not None:
            handler.answer_json(self._broker(request))


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("cfroute-static-proxy", description=__doc__)
    parser.add_argument("--upstream", required=True, metavar="URL", help="the load balancer, http://127.0.0.1:8080 for example")
    parser.add_argument("--port", type=int, default=8000, help="of the proxy; default 8000, and 0 takes a free one")
    parser.add_argument("--broker-port", type=int, default=8001, help="of the broker; default 8001, and 0 takes a free one")
    user, password = environment.get("BROKER_USER", "admin"), environment.get("BROKER_PASSWORD", "secret")
    parser.add_argument("--user", default=user, help="BROKER_USER, of the broker; default admin")
    parser.add_argument("--password", default=password, help="BROKER_PASSWORD; default secret")
    parser.add_argument("--state", type=Path, default=None, help="file that instances and bindings are kept in")
    return parser


def _restored(broker: Broker, service: StaticProxy, state: dict[str, dict[str, object]]) -> None:
    """Take up what held in an earlier run."""
    broker.restore(state)
    for binding, (asked, instance) in broker.bindings().items():
        service.bind(binding, asked, instance)


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM; returns the exit status."""
    options = _parser(os.environ).parse_args(arguments)
    policies = Policies()
    service = StaticProxy(policies)
    try:
        keeper = Keeper(options.state)
        broker = Broker(service, (options.user, options.password), time.monotonic, changed=keeper.save)
        _restored(broker, service, keeper.load())
        proxy = server(Proxy(Target.parse(options.upstream), policies).handle, options.port)
        desk = server(Desk(locked(broker), policies).handle, options.broker_port)
    except (NoTarget, OSError, ValueError) as error:
        say(f"cfroute-static-proxy: {error}")
        return 1
    serve(proxy, desk)
    return 0


def run() -> NoReturn:
    """The program as a process."""
    sys.exit(main(sys.argv[1:]))
