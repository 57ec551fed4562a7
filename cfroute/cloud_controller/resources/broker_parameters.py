"""The parameters of instances and bindings, as their brokers know them."""

from collections.abc import Awaitable, Callable
from typing import Any

from cfroute.cloud_controller.brokers import requests
from cfroute.cloud_controller.brokers.outcomes import Failed, Succeeded
from cfroute.cloud_controller.brokers.subjects import Question, access, plan_of, subject
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.endpoints import Exchange, get
from cfroute.cloud_controller.errors import BAD_REQUEST, FOUNDATION_DOWN, ApiError, broker_error
from cfroute.cloud_controller.models import CredentialBinding, RouteBinding, ServiceInstance


def _asking(prepare: Callable[[Call], Question]) -> Callable[[Exchange], Awaitable[Reply]]:
    """The handler that asks a broker for the parameters of something."""

    async def handler(exchange: Exchange) -> Reply:
        question = await exchange.run(prepare, write=False)
        if not exchange.platform.brokers.present:
            raise ApiError(FOUNDATION_DOWN)
        outcome = await exchange.platform.brokers.ask(question)
        if isinstance(outcome, Succeeded):
            given = outcome.values.get("parameters")
            return Reply(200, given if isinstance(given, dict) else {})
        if isinstance(outcome, Failed):
            raise broker_error(outcome.status, outcome.error, outcome.detail)
        raise broker_error(502, "ServiceBrokerBadResponse", "The service broker has not finished")

    return handler


def _of_instance(call: Call) -> Question:
    instance = call.the(ServiceInstance, "Service instance")
    if instance.managed is None or not plan_of(instance).offering.instances_retrievable:
        raise ApiError(BAD_REQUEST, "This service does not support fetching service instance parameters.")
    return Question(access(plan_of(instance).offering.broker), requests.fetch(subject(instance)), call.user.guid)


def _of_binding(model: type[RouteBinding | CredentialBinding], name: str, refusal: str) -> Callable[[Call], Question]:
    def prepare(call: Call) -> Question:
        binding: Any = call.the(model, name)
        instance: ServiceInstance = binding.service_instance
        if instance.managed is None or not plan_of(instance).offering.bindings_retrievable:
            raise ApiError(BAD_REQUEST, refusal)
        request = requests.fetch(subject(instance), binding.guid)
        return Question(access(plan_of(instance).offering.broker), request, call.user.guid)

    return prepare


_ROUTE = _of_binding(RouteBinding, "Service route binding", "This service does not support fetching route binding parameters.")
_CREDENTIALS = _of_binding(
    CredentialBinding, "Service credential binding", "This service does not support fetching service binding parameters."
)

ENDPOINTS = (
    get("/v3/service_instances/{guid}/parameters", _asking(_of_instance)),
    get("/v3/service_route_bindings/{guid}/parameters", _asking(_ROUTE)),
    get("/v3/service_credential_bindings/{guid}/parameters", _asking(_CREDENTIALS)),
)
