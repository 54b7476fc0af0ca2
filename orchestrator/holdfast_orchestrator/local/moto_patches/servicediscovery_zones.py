"""The hosted zone of a Cloud Map namespace, which goes with it.

moto 5.2.1 creates a zone for a DNS namespace and leaves it when the namespace is deleted.
AWS deletes both.
So do we.
"""

from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import moto, wrap


def close() -> None:
    """Delete the zone of a namespace with the namespace."""
    models = moto("servicediscovery.models")

    @wrap(models.ServiceDiscoveryBackend, "delete_namespace")
    def delete(original: Any, self: Any, namespace_id: str) -> Any:
        namespace = self.namespaces.get(namespace_id)
        answer = original(self, namespace_id)
        zone_id = (namespace.dns_properties or {}).get("HostedZoneId")
        if zone_id is not None:
            _zones(self).pop(zone_id.replace("/hostedzone/", ""), None)
        return answer


def _zones(backend: Any) -> Any:
    partition = moto("utilities.utils").get_partition(backend.region_name)
    return moto("route53").route53_backends[backend.account_id][partition].zones
