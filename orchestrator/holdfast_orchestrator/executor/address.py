"""The address of a cluster's scheduler: on loopback, over TLS with certificates, or explicitly insecure.

Anyone who reaches a scheduler's port without TLS can run code on every machine of the cluster. So `tcp://`
beyond loopback is refused, unless `insecure` allows it.
"""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast_orchestrator.errors import UsageError

_TLS_NEXT = "name --executor-ca, --executor-cert and --executor-key (see docs/executors.md)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A scheduler's address; `ca`, `cert`, `key` are PEM files for TLS, `insecure` allows no TLS."""

    address: str
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    insecure: bool = False

    @property
    def scheme(self) -> str:
        """The scheme of the address; without one, Dask uses tcp."""
        scheme, separator, _ = self.address.partition("://")
        return scheme.lower() if separator else "tcp"

    @property
    def is_open(self) -> bool:
        """Whether anyone who reaches the port can use the cluster: no TLS, and not on loopback."""
        return self.scheme == "tcp" and not is_loopback(self.address)

    def check(self) -> None:
        """Raise UsageError if the cluster may not be used, or files for TLS are missing."""
        files = {"--executor-ca": self.ca, "--executor-cert": self.cert, "--executor-key": self.key}
        absent = [name for name, path in files.items() if path is None]
        match self.scheme:
            case "tls" if absent and len(absent) < len(files):
                raise UsageError(f"{self.address} needs {', '.join(absent)} too", next_step=_TLS_NEXT)
            case "tls":
                for path in files.values():
                    if path is not None and not path.is_file():
                        raise UsageError(f"there is no certificate file {path}", next_step=_TLS_NEXT)
            case "tcp" if len(absent) < len(files):
                raise UsageError(
                    f"{self.address} is reached without TLS, so certificates mean nothing",
                    next_step="give an address that begins with tls://",
                )
            case "tcp":
                refuse_open(self)
            case _:
                raise UsageError(f"an executor is tls://… or, on this machine, tcp://…, got {self.address}")

    def security(self, distributed: Any) -> Any:
        """Return the TLS settings for Dask's client; Dask's own settings if no files are named.

        Raises UsageError for tls:// if Dask's settings name no files either.
        """
        if self.scheme != "tls":
            return None
        if self.ca is None:
            security = distributed.Security(require_encryption=True)
            if not (security.tls_ca_file and security.tls_client_cert and security.tls_client_key):
                raise UsageError(f"{self.address} needs certificates", next_step=_TLS_NEXT)
            return security
        return distributed.Security(
            tls_ca_file=str(self.ca),
            tls_client_cert=str(self.cert),
            tls_client_key=str(self.key),
            require_encryption=True,
        )


def open_to_all(cluster: Cluster) -> str:
    """Return the warning for a cluster that is explicitly used without TLS."""
    return (
        f"warning: {cluster.address} is used without TLS: anyone who reaches that port can read every "
        "secret that is sent and run code on every machine of the cluster"
    )


def refuse_open(cluster: Cluster, listening: str | None = None) -> None:
    """Raise UsageError for a cluster that anyone on the network could use, unless it is `insecure`.

    `listening` is the address that the scheduler itself reports.
    """
    address = listening or cluster.address
    scheme, separator, _ = address.partition("://")
    if cluster.insecure or (separator and scheme.lower() == "tls") or is_loopback(address):
        return
    raise UsageError(
        f"anyone reaching {address} runs code on every machine of that cluster: tcp:// is only for loopback",
        next_step="use tls:// with certificates (docs/executors.md), start the scheduler with "
        "`--host 127.0.0.1`, or, in a trusted network, --executor-insecure",
    )


def is_loopback(address: str) -> bool:
    """Return whether an address is on this machine's loopback."""
    host = address.rpartition("://")[2].rpartition(":")[0].strip("[]")
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
