"""What of the environment changes what providers do, and with it what a plan finds.

Credentials are no part of that: a deploy is the same for every caller.
"""

from collections.abc import Iterator, Mapping

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.terraform.json_values import Document, digest, kinds_used, mapping_of, named
from holdfast_orchestrator.terraform.provider_blocks import required_providers

_ENDPOINT = "AWS_ENDPOINT_URL"
_COUNTED = ("TF_AWS_", _ENDPOINT)
_REGIONS = frozenset({"AWS_REGION", "AWS_DEFAULT_REGION"})


def environment_of(shard: Shard, document: Document, run: Run) -> Mapping[str, str]:
    """Return a digest for each variable that counts, by name. Raises HoldfastError as `Tools.environ`."""
    environ = dict(run.tools.environ(shard.cloud))
    if not run.runtime.environ.get(_ENDPOINT):
        # The local cloud's own, on another port after each start. Which cloud it is, the bucket says.
        environ.pop(_ENDPOINT, None)
    return counted(document, environ)


def counted(document: Document, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return a digest for each variable of `environ` that counts for a configuration, by name."""
    regions = frozenset() if _says_its_regions(document) else _REGIONS
    names = (name for name in sorted(environ) if name.startswith(_COUNTED) or name in regions)
    return {name: digest(environ[name]) for name in names}


def _says_its_regions(document: Document) -> bool:
    """Whether every provider has a block of its own that names a region, and none that does not."""
    placed = {name for name, body in _provider_blocks(document) if body.get("region") and "alias" not in body}
    silent = {name for name, body in _provider_blocks(document) if not body.get("region")}
    return _providers(document) <= placed - silent


def _provider_blocks(document: Document) -> Iterator[tuple[str, Document]]:
    for name, body in named(document.get("provider")):
        yield name, mapping_of(body)


def _providers(document: Document) -> frozenset[str]:
    """The local names of all providers: required, configured, or named by the types in use."""
    typed = (kind.partition("_")[0] for kind in kinds_used(document))
    configured = (name for name, _ in _provider_blocks(document))
    return frozenset({*required_providers(document), *typed, *configured} - {"terraform"})
