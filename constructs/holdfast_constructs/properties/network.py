"""The properties of `Network`."""

from holdfast_constructs.profiles import NAT
from holdfast_constructs.properties import Always, Property, Theme

DIAGRAM = """
internet gateway ── public subnets (load balancer, NAT gateways)
                          │ NAT
                    private subnets (tasks) ── endpoints of AWS services
                          │
                    isolated subnets (databases): no way in or out
one of each in every zone; flow logs ── log group or bucket
"""

PROPERTIES = {
    "cidr": Property(why="the addresses; room is left for more zones, so that adding one moves nothing"),
    "nat": Property(
        per_profile=NAT,
        why="how private subnets reach the internet: a gateway in each zone, one for all, or none",
        theme=Theme.RECOVERABLE,
        satisfied=lambda value, profile: profile != "prod" or value != "single",
    ),
    "logs_key": Property(why="encrypts the flow logs", controls=("CKV_AWS_158",), theme=Theme.ENCRYPTED),
    "private_endpoints": Property(
        why="AWS services that are reached without NAT; each costs by the hour and zone",
        controls=("FSBP EC2.10",),
    ),
    "endpoint_policies": Property(
        why="what may be done through the endpoint of a service, where that is not everything",
        theme=Theme.BOUNDARY,
    ),
    "nat_addresses": Property(why="Elastic IPs of yours, which partners may have on their lists"),
}

ALWAYS = (
    Always(
        resource="aws_vpc",
        argument="enable_dns_hostnames",
        value=True,
        why="the names of endpoints and of services resolve inside",
    ),
    Always(
        resource="aws_subnet",
        argument="map_public_ip_on_launch",
        value=False,
        why="nothing gets a public address by itself",
        controls=("CKV_AWS_130", "FSBP EC2.15"),
        theme=Theme.BOUNDARY,
    ),
    Always(
        resource="aws_flow_log",
        argument="traffic_type",
        value="ALL",
        why="who talked to whom, and who was refused",
        controls=("CKV2_AWS_11", "FSBP EC2.6", "CIS 3.7"),
        theme=Theme.OBSERVED,
    ),
    Always(
        resource="aws_default_security_group",
        argument="ingress",
        value=None,
        why="what forgets its security group can talk to nobody",
        controls=("CKV2_AWS_12", "FSBP EC2.2", "CIS 5.5"),
        theme=Theme.BOUNDARY,
    ),
)
