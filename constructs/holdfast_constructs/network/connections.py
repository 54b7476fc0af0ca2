"""Who may talk to whom: one call writes both security-group rules.

Neither side is opened to an address range: each rule names the other side's group. Both rules are in
the client's stack, so the service that needs a connection owns it, and removes it when it
goes.
"""

import re
from typing import Protocol

from cdktf import TerraformStack
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from holdfast_constructs.app._connections import note_connection
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError

HIGHEST_PORT = 65535

# Amazon EC2, AuthorizeSecurityGroupIngress: what a rule's description may be made of.
_DESCRIPTION = re.compile(r"[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")


class Connectable(Protocol):
    """Anything with a security group, a TCP port it listens on by default, and a name for people.

    The name becomes part of the ids of rules: keep it stable.
    """

    @property
    def security_group_id(self) -> str:
        """The id of its security group."""

    @property
    def default_port(self) -> int:
        """The TCP port it listens on."""

    @property
    def name(self) -> str:
        """A short stable name."""


@checked
def connect(
    client: Connectable,
    server: Connectable,
    *,
    port: int | None = None,
    description: str | None = None,
    scope: Construct | None = None,
) -> None:
    """Let `client` open TCP connections to `server`.

    `port` is the server's default port unless given (1-65535). The rules are created in `scope`, which
    is the client itself unless given: a service lets its gateway in with `scope=service`. Raises
    ConstructError for a port or a description AWS would refuse, and when the two are connected on that
    port already.
    """
    owner = scope if scope is not None else client
    if not isinstance(owner, Construct):
        raise ConstructError(
            f"connect({client.name}, {server.name}) has nowhere to put its rules",
            next_step="pass scope=<the construct that needs the connection>",
        )
    listening = _checked_port(server.default_port if port is None else port)
    base = f"{client.name}-to-{server.name}-{listening}"
    if isinstance(server, Construct) and _connects_another(owner, base, server):
        # Of another stack: two databases may have one id.
        base = f"{client.name}-to-{TerraformStack.of(server).node.id}-{server.name}-{listening}"
    if owner.node.try_find_child(f"{base}-egress") is not None:
        raise ConstructError(
            f"{client.name} is connected to {server.name} on port {listening} already",
            next_step="remove one of the two calls",
        )
    checked = _checked_description(description or f"{client.name} to {server.name}")
    _write(owner, base, (client, server), listening, checked)
    note_connection(client if isinstance(client, Construct) else owner, server, port=listening)


def accept(client: Connectable, server: Connectable, *, scope: Construct) -> None:
    """Let `server` take TCP connections on its default port from `client`, which may open them already.

    It is the half of `connect` that is the server's; the rule is created in `scope`.
    """
    port = _checked_port(server.default_port)
    base = f"{client.name}-to-{server.name}-{port}"
    _write_ingress(scope, base, (client, server), port, f"{client.name} to {server.name}")


def _servers(owner: Construct) -> dict[str, Connectable]:
    """What the rules of `owner` let its clients reach, by the beginning of their ids."""
    servers: dict[str, Connectable] = vars(owner).setdefault("_holdfast_servers", {})
    return servers


def _connects_another(owner: Construct, base: str, server: object) -> bool:
    first = _servers(owner).get(base)
    return first is not None and first is not server


def _write(
    owner: Construct, base: str, ends: tuple[Connectable, Connectable], port: int, description: str
) -> None:
    client, server = ends
    _servers(owner)[base] = server
    VpcSecurityGroupEgressRule(
        owner,
        f"{base}-egress",
        security_group_id=client.security_group_id,
        referenced_security_group_id=server.security_group_id,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        description=description,
    )
    _write_ingress(owner, base, ends, port, description)


def _write_ingress(
    owner: Construct, base: str, ends: tuple[Connectable, Connectable], port: int, description: str
) -> None:
    client, server = ends
    VpcSecurityGroupIngressRule(
        owner,
        f"{base}-ingress",
        security_group_id=server.security_group_id,
        referenced_security_group_id=client.security_group_id,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        description=description,
    )


def _checked_port(port: int) -> int:
    if not 1 <= port <= HIGHEST_PORT:
        raise ConstructError("port", got=port, allowed=f"1-{HIGHEST_PORT}")
    return port


def _checked_description(description: str) -> str:
    if _DESCRIPTION.fullmatch(description) is None:
        allowed = "1-255 of letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"
        raise ConstructError("a rule's description", got=description, allowed=allowed)
    return description
