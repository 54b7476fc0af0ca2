"""Where requests come in: the firewall, the load balancer, and the cluster that serves behind them.

They change together and hold no data. `platform` is what a service needs of the site, in one value.
"""

from constructs import Construct

from holdfast_constructs import Cluster, Firewall, LoadBalancer, Platform, ServiceStack
from holdfast_constructs.project import Site, shared
from holdfast_stacks.network import Network


@shared("edge")
class Edge(ServiceStack):
    """The shared way in to all services of a site."""

    def __init__(self, scope: Construct, site: Site) -> None:
        super().__init__(scope, "edge", site.target)
        base = site.stack(Network)
        settings = site.env.firewall
        firewall = Firewall(
            self,
            "firewall",
            logs_key=base.logs_key,
            mode=settings.mode,
            rate_limit=settings.rate_limit,
            rule_modes=settings.rule_modes,
            exceptions=[each.built() for each in settings.exceptions],
            rate_limits=[each.built() for each in settings.rate_limits],
            allow_addresses=settings.allow_addresses,
            block_addresses=settings.block_addresses,
        )
        load_balancer = LoadBalancer(
            self,
            "gateway",
            network=base.network,
            domain=site.domain,
            domains=site.further_domains,
            wildcard_record=site.env.gateway.wildcard_record,
            certificate_arn=site.certificate_arn,
            zone_id=site.env.gateway.zone_id,
            plain_http=not site.env.gateway.tls,
            internal=site.env.gateway.internal,
            allow_from=site.env.gateway.allow_from,
            tls_policy=site.env.gateway.tls_policy,
            idle_seconds=site.env.gateway.idle_seconds,
            firewall=firewall,
        )
        self.add_output("address", load_balancer.dns_name)
        cluster = Cluster(self, "cluster", logs_key=base.logs_key)
        self.platform = Platform(
            network=base.network, gateway=load_balancer, cluster=cluster, logs_key=base.logs_key
        )
