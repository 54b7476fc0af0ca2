"""Client ids of OpenID Connect providers.

moto 5.2.1 takes the list when the provider is made and cannot change it afterwards.
AWS adds and removes one at a time; adding one that is there, or removing one that is not, is fine.
So do we.
"""

from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import moto, operation


def close() -> None:
    """Add the two operations on client ids."""
    responses = moto("iam.responses").IamResponse

    @operation(responses, "AddClientIDToOpenIDConnectProvider")
    def add(self: Any, params: Mapping[str, Any]) -> None:
        kept = _clients(self, params)
        if params["ClientID"] not in kept:
            kept.append(params["ClientID"])

    @operation(responses, "RemoveClientIDFromOpenIDConnectProvider")
    def remove(self: Any, params: Mapping[str, Any]) -> None:
        kept = _clients(self, params)
        if params["ClientID"] in kept:
            kept.remove(params["ClientID"])


def _clients(self: Any, params: Mapping[str, Any]) -> Any:
    provider = self.backend.get_open_id_connect_provider(params["OpenIDConnectProviderArn"])
    return provider.client_id_list
