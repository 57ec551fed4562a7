"""Service brokers, what they offer, instances of it, and what is bound to them."""

from collections.abc import Mapping
from typing import Final

from cfroute.cloud_controller.openapi.general import NAMED, NUMBER, TEXTS, WORD, thing
from cfroute.cloud_controller.openapi.operation import PURGE, Operation, changed, fields, gone, job, made, one, page
from cfroute.cloud_controller.resources import (
    credential_bindings,
    route_bindings,
    service_brokers,
    service_instances,
    service_offerings,
    service_plans,
    trimmed,
)
from cfroute.cloud_controller.validation import bodies
from cfroute.cloud_controller.validation.shapes import BOOLEAN, OBJECT, TEXT, Schema, many, one_of, opened, ref

_FEATURES: Final = {"bindable": BOOLEAN, "plan_updateable": BOOLEAN}
_BROKER_FEATURES: Final = ("instances_retrievable", "bindings_retrievable", "allow_context_updates")
_PARAMETERS: Final = opened({"parameters": OBJECT})

OBJECTS: Final[Mapping[str, Schema]] = {
    "ServiceBroker": thing({"name": TEXT, "url": TEXT, "relationships": opened({}, space=ref("ToOne"))}),
    "ServiceOffering": thing(
        {
            "name": TEXT,
            "description": TEXT,
            "available": BOOLEAN,
            "tags": TEXTS,
            "requires": TEXTS,
            "shareable": BOOLEAN,
            "documentation_url": TEXT,
            "broker_catalog": opened(
                {"id": TEXT, "metadata": OBJECT, "features": opened(_FEATURES | dict.fromkeys(_BROKER_FEATURES, BOOLEAN))}
            ),
        },
        "service_broker",
        included=OBJECT,
    ),
    "ServicePlan": thing(
        {
            "name": TEXT,
            "description": TEXT,
            "available": BOOLEAN,
            "free": BOOLEAN,
            "costs": many(opened({"currency": TEXT, "amount": {"type": "number"}, "unit": TEXT})),
            "visibility_type": one_of("public", "admin", "organization", "space"),
            "maintenance_info": OBJECT,
            "broker_catalog": opened(
                {"id": TEXT, "metadata": OBJECT, "maximum_polling_duration": NUMBER, "features": opened(_FEATURES)}
            ),
            "schemas": opened(
                {
                    "service_instance": opened({"create": _PARAMETERS, "update": _PARAMETERS}),
                    "service_binding": opened({"create": _PARAMETERS}),
                }
            ),
            "relationships": opened({"service_offering": ref("ToOne")}, space=ref("ToOne")),
        },
    ),
    "PlanVisibility": opened(
        {"type": one_of("public", "admin", "organization", "space")}, organizations=many(NAMED), space=NAMED
    ),
    "ServiceInstance": thing(
        {
            "name": TEXT,
            "type": one_of("managed", "user-provided"),
            "tags": TEXTS,
            "last_operation": ref("LastOperation"),
            "relationships": opened({"space": ref("ToOne")}, service_plan=ref("ToOne")),
        },
        syslog_drain_url=WORD,
        route_service_url=WORD,
        maintenance_info=OBJECT,
        upgrade_available=BOOLEAN,
        dashboard_url=WORD,
    ),
    "UsageSummary": opened(
        {"usage_summary": many(opened({"space": ref("Guid"), "bound_app_count": NUMBER})), "links": ref("Links")}
    ),
    "CredentialBinding": thing(
        {
            "name": WORD,
            "type": one_of("app", "key"),
            "last_operation": ref("LastOperation"),
            "relationships": opened({"service_instance": ref("ToOne")}, app=ref("ToOne")),
        },
    ),
    "CredentialBindingDetails": opened({"credentials": OBJECT}, syslog_drain_url=TEXT, volume_mounts=many(OBJECT)),
    "RouteBinding": thing({"route_service_url": WORD, "last_operation": ref("LastOperation")}, "service_instance", "route"),
}
_BROKER: Final = fields(trimmed.BROKER_OF_OFFERING)
_OFFERINGS_BROKER: Final = fields(trimmed.BROKER_OF_PLAN)

OPERATIONS: Final[Mapping[str, Operation]] = {
    "GET /v3/service_brokers": page("ServiceBroker", service_brokers.LISTING),
    "POST /v3/service_brokers": Operation(job().answers, made("ServiceBroker", bodies.BROKER).takes),
    "GET /v3/service_brokers/{guid}": one("ServiceBroker", service_brokers.LISTING),
    "PATCH /v3/service_brokers/{guid}": changed("ServiceBroker", bodies.BROKER_UPDATE).or_job(),
    "DELETE /v3/service_brokers/{guid}": job(),
    "GET /v3/service_offerings": page("ServiceOffering", service_offerings.LISTING, **_BROKER),
    "GET /v3/service_offerings/{guid}": one("ServiceOffering", query=_BROKER),
    "PATCH /v3/service_offerings/{guid}": changed("ServiceOffering", bodies.METADATA),
    "DELETE /v3/service_offerings/{guid}": gone(PURGE),
    "GET /v3/service_plans": page("ServicePlan", service_plans.LISTING, **_OFFERINGS_BROKER),
    "GET /v3/service_plans/{guid}": one("ServicePlan", service_plans.LISTING, _OFFERINGS_BROKER),
    "PATCH /v3/service_plans/{guid}": changed("ServicePlan", bodies.METADATA),
    "DELETE /v3/service_plans/{guid}": gone(),
    "GET /v3/service_plans/{guid}/visibility": one("PlanVisibility"),
    "POST /v3/service_plans/{guid}/visibility": changed("PlanVisibility", bodies.PLAN_VISIBILITY),
    "PATCH /v3/service_plans/{guid}/visibility": changed("PlanVisibility", bodies.PLAN_VISIBILITY),
    "DELETE /v3/service_plans/{guid}/visibility/{organization}": gone(),
    "GET /v3/service_instances": page("ServiceInstance", service_instances.LISTING, **fields(trimmed.OF_INSTANCES)),
    "POST /v3/service_instances": made("ServiceInstance", bodies.SERVICE_INSTANCE).or_job(),
    "GET /v3/service_instances/{guid}": one("ServiceInstance", query=fields(trimmed.OF_INSTANCE)),
    "PATCH /v3/service_instances/{guid}": changed("ServiceInstance", bodies.SERVICE_INSTANCE_UPDATE).or_job(),
    "DELETE /v3/service_instances/{guid}": gone(PURGE).or_job(),
    "GET /v3/service_instances/{guid}/credentials": one("Object"),
    "GET /v3/service_instances/{guid}/parameters": one("Object"),
    "GET /v3/service_instances/{guid}/relationships/shared_spaces": one("ToMany", query=fields(trimmed.SPACES)),
    "POST /v3/service_instances/{guid}/relationships/shared_spaces": changed("ToMany", bodies.TO_MANY),
    "DELETE /v3/service_instances/{guid}/relationships/shared_spaces/{space}": gone(),
    "GET /v3/service_instances/{guid}/relationships/shared_spaces/usage_summary": one("UsageSummary"),
    "GET /v3/service_route_bindings": page("RouteBinding", route_bindings.LISTING),
    "POST /v3/service_route_bindings": made("RouteBinding", bodies.ROUTE_BINDING).or_job(),
    "GET /v3/service_route_bindings/{guid}": one("RouteBinding", route_bindings.LISTING),
    "PATCH /v3/service_route_bindings/{guid}": changed("RouteBinding", bodies.METADATA),
    "DELETE /v3/service_route_bindings/{guid}": gone().or_job(),
    "GET /v3/service_route_bindings/{guid}/parameters": one("Object"),
    "GET /v3/service_credential_bindings": page("CredentialBinding", credential_bindings.LISTING),
    "POST /v3/service_credential_bindings": made("CredentialBinding", bodies.CREDENTIAL_BINDING).or_job(),
    "GET /v3/service_credential_bindings/{guid}": one("CredentialBinding", credential_bindings.LISTING),
    "PATCH /v3/service_credential_bindings/{guid}": changed("CredentialBinding", bodies.METADATA),
    "DELETE /v3/service_credential_bindings/{guid}": gone().or_job(),
    "GET /v3/service_credential_bindings/{guid}/details": one("CredentialBindingDetails"),
    "GET /v3/service_credential_bindings/{guid}/parameters": one("Object"),
}
