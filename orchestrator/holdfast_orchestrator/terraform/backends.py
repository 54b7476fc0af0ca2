"""Backends and `terraform_remote_state` data sources of a configuration: where a state lies. Pure.

A place is for people and never holds a credential. An identity says whether two configurations mean the
same state, whatever else they say of how to get there.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from holdfast_orchestrator.terraform.json_values import Document, blocks

LOCAL, S3 = "local", "s3"
_CLOUD = frozenset({"cloud", "remote"})
_DEFAULT_HOST = "app.terraform.io"
# Of each kind the settings that say which state it is, in the order they are shown.
_NAMING: Mapping[str, tuple[str, ...]] = {
    LOCAL: ("path",),
    S3: ("bucket", "key"),
    "gcs": ("bucket", "prefix"),
    "azurerm": ("storage_account_name", "container_name", "key"),
    "cos": ("bucket", "prefix", "key"),
    "oss": ("bucket", "prefix", "key"),
    "oci": ("bucket", "namespace", "key"),
    "consul": ("address", "path"),
    "http": ("address",),
    "kubernetes": ("namespace", "secret_suffix"),
    "pg": ("schema_name",),
}


@dataclass(frozen=True)
class Backend:
    """One backend; `kind` is Terraform's word for it (`s3`, `cloud`, …)."""

    kind: str
    config: Mapping[str, Any] = field(repr=False)

    @property
    def identity(self) -> tuple[str, ...]:
        """Equal for backends of one state."""
        if self.kind in _CLOUD:
            return ("cloud", *_workspace(self.config))
        named = _NAMING.get(self.kind)
        if named is None:
            return (self.kind, json.dumps(self.config, sort_keys=True))
        return (self.kind, *(_text(self.config.get(name)) for name in named))

    @property
    def place(self) -> str:
        """Where the state is, for people, without anything secret."""
        if self.kind == S3 and self.is_complete:
            return f"s3://{self.config['bucket']}/{self.config['key']}"
        if self.kind == LOCAL:
            return _text(self.config.get("path"))
        parts = "/".join(filter(None, self._shown()))
        return f"{self.kind} ({parts})" if parts else self.kind

    @property
    def is_complete(self) -> bool:
        """Whether the configuration names the state, and leaves nothing to `terraform init`."""
        return all(isinstance(self.config.get(name), str) for name in _NAMING.get(self.kind, ()))

    def _shown(self) -> Iterator[str]:
        if self.kind in _CLOUD:
            yield from _workspace(self.config)
            return
        for name in _NAMING.get(self.kind, ()):
            value = _text(self.config.get(name))
            yield _without_user(value) if name == "address" else value


def declared_backend(document: Mapping[str, Any]) -> Backend | None:
    """Return the backend a configuration declares, None for none."""
    terraform = document.get("terraform")
    blocks = terraform if isinstance(terraform, Mapping) else {}
    if blocks.get("cloud"):
        return Backend("cloud", _block(blocks["cloud"]))
    for kind, config in _block(blocks.get("backend")).items():
        return Backend(kind, _block(config))
    return None


def remote_states(document: Document) -> Iterator[tuple[str, Any]]:
    """Yield the name and the body of each `terraform_remote_state` data source."""
    return ((name, body) for kind, name, body in blocks(document, "data") if kind == "terraform_remote_state")


def read_from(source: Mapping[str, Any]) -> Backend:
    """Return the backend from which a `terraform_remote_state` data source reads."""
    return Backend(_text(source.get("backend")), _block(source.get("config")))


def _workspace(config: Mapping[str, Any]) -> tuple[str, ...]:
    spaces = _block(config.get("workspaces"))
    which = spaces.get("name") or spaces.get("prefix") or spaces.get("tags")
    return (_text(config.get("hostname") or _DEFAULT_HOST), _text(config.get("organization")), _text(which))


def _block(value: object) -> Mapping[str, Any]:
    """A block, which JSON may also write as a list of one."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _without_user(address: str) -> str:
    """The address without user, password and query."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if parts.scheme else host + parts.path
