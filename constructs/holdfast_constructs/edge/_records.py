"""DNS records of the hosts of a service, in the stack of the service.

Each service has a record of its own for each of its hosts, told from those of other services by its
`set_identifier`. Route 53 answers a name with any of its records, and all lead to the same load balancer. So
a host may move from one service to another, and two services may share one: each record comes and goes with
its service, and no deploy depends on another's.
"""

from cdktf_cdktf_provider_aws.route53_record import (
    Route53Record,
    Route53RecordAlias,
    Route53RecordWeightedRoutingPolicy,
)
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.edge.imported_load_balancer import ApplicationLoadBalancer
from holdfast_constructs.naming import limited

# Route 53, ChangeResourceRecordSets: SetIdentifier.
_LONGEST_IDENTIFIER = 128
# Any weight above 0: there is one target.
_WEIGHT = 1


def write_record(scope: Construct, gateway: ApplicationLoadBalancer, host: str, *, service: str) -> None:
    """Let `host` lead to the load balancer; `service` is the path of the construct that answers there.

    Does nothing where the load balancer has no zone for the host, leaves DNS to another region, or has a
    record of exactly this name itself.
    """
    zone = gateway.record_zone(host)
    if zone is None:
        return
    project = ServiceStack.of(scope).target.project
    name = service if project is None else f"{project}-{service}"
    Route53Record(
        scope,
        f"record-{host.replace('*', 'any').replace('.', '-')}",
        zone_id=zone,
        name=host,
        type="A",
        set_identifier=limited(name, _LONGEST_IDENTIFIER),
        weighted_routing_policy=Route53RecordWeightedRoutingPolicy(weight=_WEIGHT),
        alias=Route53RecordAlias(
            name=gateway.dns_name, zone_id=gateway.hosted_zone_id, evaluate_target_health=True
        ),
    )
