"""Parameters of RDS parameter groups.

moto 5.2.1 keeps what a group was given but does not say that it came from the user, so the AWS provider
takes every parameter for an unset default and plans it again and again. It has no ResetDBParameterGroup.
AWS marks them `Source: user`, and resets some or all to the engine's defaults.
So do we; the engine's own parameters, hundreds of them, are left out.
"""

from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import moto, operation, wrap


def close() -> None:
    """Mark parameters as the user's, and let them be reset."""
    responses = moto("rds.responses").RDSResponse

    @wrap(responses, "describe_db_parameters")
    def describe(original: Any, self: Any) -> Any:
        answer = original(self)
        source = self.params.get("Source")
        kept = [{**parameter, "Source": "user"} for parameter in answer.result["Parameters"]]
        answer.result["Parameters"] = kept if source in {None, "user"} else []
        return answer

    @operation(responses, "ResetDBParameterGroup")
    def reset(self: Any, params: Mapping[str, Any]) -> object:
        name = params["DBParameterGroupName"]
        groups = self.backend.describe_db_parameter_groups({"db_parameter_group_name": name})
        if not groups:
            raise moto("rds.exceptions").DBParameterGroupNotFoundError(name)
        if params.get("ResetAllParameters"):
            groups[0].parameters.clear()
        for parameter in params.get("Parameters") or ():
            groups[0].parameters.pop(parameter["ParameterName"], None)
        return {"DBParameterGroupName": name}
