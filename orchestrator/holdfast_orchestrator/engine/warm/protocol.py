"""Terraform's plugin protocol 5 and 6, as far as the gateway tells its calls apart.

Only services of these names reach a provider. Calls that depend on a provider's configuration are all that
are not named here: a new call of a later protocol is taken for one of those.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

PROVIDER = ("/tfplugin5.Provider/", "/tfplugin6.Provider/")

SCHEMA = frozenset({"GetSchema", "GetProviderSchema"})
IDENTITIES = frozenset({"GetResourceIdentitySchemas"})
CONFIGURE = frozenset({"Configure", "ConfigureProvider"})
STOP = frozenset({"Stop", "StopProvider"})
# Whether a configuration is a valid one, and what it is with the defaults filled in.
PREPARE = frozenset({"PrepareProviderConfig", "ValidateProviderConfig"})
# The same whatever a process is configured with.
STATELESS = frozenset({
    "GetMetadata",
    "GetFunctions",
    *PREPARE,
    "ValidateResourceTypeConfig",
    "ValidateResourceConfig",
    "ValidateDataSourceConfig",
    "ValidateDataResourceConfig",
    "ValidateEphemeralResourceConfig",
})  # fmt: skip
# Allowed before configuration too, but then only in a process that has none.
UNCONFIGURED = frozenset({"UpgradeResourceState", "UpgradeResourceIdentity"})
FUNCTION = frozenset({"CallFunction"})
PLAN, APPLY = "PlanResourceChange", "ApplyResourceChange"
IMPORT, READ, READ_DATA = "ImportResourceState", "ReadResource", "ReadDataSource"
# One request, one answer. Any other call is passed on as streams both ways: some are (ListResource).
UNARY = frozenset(
    {
        *SCHEMA,
        *IDENTITIES,
        *CONFIGURE,
        *STOP,
        *STATELESS,
        *UNCONFIGURED,
        *FUNCTION,
        *(PLAN, APPLY, IMPORT, READ, READ_DATA),
    }
)
# Answers of a known provider that depend on the request alone -> the field of its diagnostics.
PURE = {
    **dict.fromkeys(PREPARE, 2),
    **dict.fromkeys((name for name in STATELESS if name.startswith("Validate") and name not in PREPARE), 1),
    **dict.fromkeys(UNCONFIGURED, 2),
}

# Maps in the answer to SCHEMA: resources, data sources, functions, ephemeral resources.
SCHEMA_MAPS = (2, 3, 7, 8)
SCHEMA_DIAGNOSTICS = 4
_IDENTITY_MAP = 1
CONFIGURE_DIAGNOSTICS = 1
# In the request, and in both protocols.
CONFIGURE_CAPABILITIES = 3


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a provider, by name; `/tfplugin5.Provider/GetSchema` for example."""

    path: str

    @property
    def name(self) -> str:
        """The method."""
        return self.path.rpartition("/")[2]

    def sibling(self, name: str) -> "Call":
        """Return the call of that name of the same protocol."""
        return Call(f"{self.path.rpartition('/')[0]}/{name}")

    @property
    def is_provider(self) -> bool:
        """Whether it is one a provider answers."""
        return self.path.startswith(PROVIDER)


STOP_CALLS = {5: Call("/tfplugin5.Provider/Stop"), 6: Call("/tfplugin6.Provider/StopProvider")}


def kept_maps(call: Call, names: Collection[str]) -> Mapping[int, Collection[str]]:
    """Return what `wire.pruned` is to keep of the answer to a call."""
    if call.name in SCHEMA:
        return dict.fromkeys(SCHEMA_MAPS, names)
    return {_IDENTITY_MAP: names} if call.name in IDENTITIES else {}
