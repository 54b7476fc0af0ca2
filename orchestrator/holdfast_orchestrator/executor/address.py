"""Which cluster, and how it is reached: over loopback, over TLS with certificates, or openly, if asked for.

Who reaches a scheduler's port without TLS runs code on every machine of the cluster. So `tcp://` beyond
loopback is refused unless it was asked for by name.
"""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast_orchestrator.errors import UsageError

_TLS_NEXT = "name --executor-ca, --executor-cert and --executor-key (see docs/executors.md)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A scheduler's address; `ca`, `cert`, `key` are PEM files for TLS, `insecure` allows to go without."""

    address: str
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    insecure: bool = False

    @property
    def scheme(self) -> str:
        """How the scheduler is reached; Dask means tcp where nothing is said."""
        scheme, separator, _ = self.address.partition("://")
        return scheme.lower() if separator else "tcp"

    @property
    def is_open(self) -> bool:
        """Whether anybody who reaches the port may do anything: no TLS, and not on loopback."""
        return self.scheme == "tcp" and not is_loopback(self.address)

    def check(self) -> None:
        """Return if it may be used. Raises UsageError."""
        files = {"--executor-ca": self.ca, "--executor-cert": self.cert, "--executor-key": self.key}
        absent = [name for name, path in files.items() if path is None]
        match self.scheme:
            case "tls" if absent and len(absent) < len(files):
                raise UsageError(f"{self.address} needs {', '.join(absent)} too", next_step=_TLS_NEXT)
            case "tls":
                self._check_files([path for path in files.values() if path is not None])
            case "tcp" if len(absent) < len(files):
                raise UsageError(
                    f"{self.address} is reached without TLS, so certificates mean nothing",
                    next_step="give an address that begins with tls://",
                )
            case "tcp":
                refuse_open(self)
            case _:
                raise UsageError(f"an executor is tls://… or, on this machine, tcp://…, got {self.address}")

    def _check_files(self, paths: list[Path]) -> None:
        for path in paths:
            if not path.is_file():
                raise UsageError(f"there is no certificate file {path}", next_step=_TLS_NEXT)

    def security(self, distributed: Any) -> Any:
        """Return what Dask is to connect with; Dask's own settings where no files are named.

        Raises UsageError for tls:// where Dask has no files either.
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
    """Return the warning for a cluster that is used without TLS because somebody asked for it."""
    return (
        f"warning: {cluster.address} is used without TLS: whoever reaches that port reads every secret that "
        "is sent and runs code on every machine of the cluster"
    )


def refuse_open(cluster: Cluster, listening: str | None = None) -> None:
    """Raise UsageError for a cluster that anybody on the network could use, unless that was asked for.

    `listening` is the address the scheduler itself says it has, once it was asked.
    """
    told = listening or cluster.address
    scheme, separator, _ = told.partition("://")
    if cluster.insecure or (separator and scheme.lower() == "tls") or is_loopback(told):
        return
    raise UsageError(
        f"whoever reaches {told} runs code on every machine of that cluster: tcp:// is for loopback only",
        next_step="use tls:// with certificates (docs/executors.md), start the scheduler with "
        "`--host 127.0.0.1`, or, in a network that is trusted, --executor-insecure",
    )


def is_loopback(address: str) -> bool:
    """Say whether an address is of this machine's loopback."""
    host = address.rpartition("://")[2].rpartition(":")[0].strip("[]")
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
