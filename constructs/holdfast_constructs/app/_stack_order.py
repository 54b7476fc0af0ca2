"""Which stack waits for which because of connections, so that a circle is refused where it is closed.

cdktf finds it when it writes the app, and says so with a trace of JavaScript that names no connection.
"""

from collections.abc import Iterator
from weakref import WeakKeyDictionary

from cdktf import TerraformStack
from constructs import Construct

from holdfast_constructs.errors import ConstructError

_Waits = dict[TerraformStack, str]

# For each stack, those that it waits for, each with the connection that says so.
_waits: WeakKeyDictionary[TerraformStack, _Waits] = WeakKeyDictionary()


def wait_for(client: Construct, server: object, name: str) -> None:
    """Note that the stack of `client` waits for that of `server`, which has the name `name`.

    Raises ConstructError where that one waits for it already.
    """
    if not isinstance(server, Construct):
        return
    here, there = TerraformStack.of(client), TerraformStack.of(server)
    if here is there:
        return
    connection = f"{here.node.id}/{client.node.id} to {name} in {there.node.id}"
    way = next(_ways(there, here, ()), None)
    if way is not None:
        raise ConstructError(
            f"{here.node.id} and {there.node.id} would wait for each other: {'; '.join((*way, connection))}",
            next_step=f"put {name} into a stack of its own, or connect the services instead",
        )
    _waits.setdefault(here, {}).setdefault(there, connection)


def _ways(start: TerraformStack, end: TerraformStack, before: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for stack, connection in _waits.get(start, {}).items():
        way = (*before, connection)
        if stack is end:
            yield way
        else:
            yield from _ways(stack, end, way)
