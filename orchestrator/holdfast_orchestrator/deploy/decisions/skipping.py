"""What has to be skipped together: an object cannot be left as it is where others depend on it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from holdfast_orchestrator.terraform.addresses import configuration_address
from holdfast_orchestrator.terraform.json_values import Document, managed
from holdfast_orchestrator.terraform.references import declared, references


def skipped_together(
    skipped: Collection[str], planned: Iterable[str], *, configuration: Document, state: Document
) -> tuple[str, ...]:
    """Return `skipped` and each planned address that is tied to one of them, in order.

    Two objects are tied where one depends on the other, directly or through others: Terraform changes what an
    object depends on before it, and destroys what depends on it first.
    """
    ties = _ties(configuration, state)
    up = _reachable(map(configuration_address, skipped), ties)
    down = _reachable(map(configuration_address, skipped), _turned(ties))
    also = {address for address in planned if configuration_address(address) in up | down}
    return tuple(sorted({*skipped, *also}))


def _ties(configuration: Document, state: Document) -> Mapping[str, set[str]]:
    """What each block depends on, as the configuration and the state say."""
    ties: defaultdict[str, set[str]] = defaultdict(set)
    for reference, block in declared(configuration).items():
        ties[str(reference)].update(map(str, references(block)))
    for address, _, instance in managed(state):
        ties[configuration_address(address)].update(instance.get("dependencies") or ())
    return ties


def _turned(ties: Mapping[str, set[str]]) -> Mapping[str, set[str]]:
    turned: defaultdict[str, set[str]] = defaultdict(set)
    for source, targets in ties.items():
        for target in targets:
            turned[target].add(source)
    return turned


def _reachable(begin: Iterable[str], ties: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(begin)
    while waiting:
        if (block := waiting.pop()) not in reached:
            reached.add(block)
            waiting.extend(ties.get(block, ()))
    return reached
