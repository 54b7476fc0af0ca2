"""Two shards, of which the second reads from the first."""

from typing import Any


def app(network: str = "n1", orders: str = "o1") -> dict[str, Any]:
    reference = "${data.terraform_remote_state.cross-stack-reference-input-network.outputs.value}"
    return {
        "network": {
            "resource": {"terraform_data": {"n": {"input": network}}},
            "output": {"value": {"value": network}},
        },
        "orders": {
            "dependencies": ["network"],
            "resource": {"terraform_data": {"o": {"input": f"{orders} {reference}"}}},
        },
    }
