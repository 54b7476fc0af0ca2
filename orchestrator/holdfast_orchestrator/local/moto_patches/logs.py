"""CloudWatch Logs: a key for a group that exists, and saved queries.

moto 5.2.1 takes a log group's KMS key only when the group is made, has no saved Logs Insights queries, and
gives the tags of a deleted group to the next one of its name.
AWS has AssociateKmsKey, DisassociateKmsKey and the three operations on query definitions; tags go with the
group. So have we, and so do ours.
"""

from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import memory, moto, operation, wrap


def close() -> None:
    """Add keys for existing groups, and query definitions."""
    responses = moto("logs.responses").LogsResponse
    _close_keys(responses)
    _close_queries(responses)
    _forget_tags()


def _close_keys(responses: Any) -> None:
    @operation(responses, "AssociateKmsKey")
    def associate(self: Any, params: Mapping[str, Any]) -> None:
        _group(self, params).kms_key_id = params["kmsKeyId"]

    @operation(responses, "DisassociateKmsKey")
    def disassociate(self: Any, params: Mapping[str, Any]) -> None:
        _group(self, params).kms_key_id = None


def _forget_tags() -> None:
    @wrap(moto("logs.models").LogsBackend, "delete_log_group")
    def delete(original: Any, self: Any, log_group_name: str) -> Any:
        group = self.groups.get(log_group_name)
        answer = original(self, log_group_name)
        if group is not None:
            self.tagger.delete_all_tags_for_resource(group.arn)
        return answer


def _close_queries(responses: Any) -> None:
    @operation(responses, "PutQueryDefinition")
    def put(self: Any, params: Mapping[str, Any]) -> object:
        identifier = params.get("queryDefinitionId") or str(moto("moto_api._internal").mock_random.uuid4())
        memory(self.logs_backend, "queries")[identifier] = {
            "queryDefinitionId": identifier,
            "name": params["name"],
            "queryString": params["queryString"],
            "logGroupNames": params.get("logGroupNames", []),
            "lastModified": int(moto("core.utils").unix_time_millis()),
        }
        return {"queryDefinitionId": identifier}

    @operation(responses, "DescribeQueryDefinitions")
    def describe(self: Any, params: Mapping[str, Any]) -> object:
        prefix = params.get("queryDefinitionNamePrefix", "")
        kept = memory(self.logs_backend, "queries").values()
        return {"queryDefinitions": [query for query in kept if query["name"].startswith(prefix)]}

    @operation(responses, "DeleteQueryDefinition")
    def delete(self: Any, params: Mapping[str, Any]) -> object:
        gone = memory(self.logs_backend, "queries").pop(params["queryDefinitionId"], None)
        return {"success": gone is not None}


def _group(self: Any, params: Mapping[str, Any]) -> Any:
    name = params.get("logGroupName") or params["resourceIdentifier"].split(":log-group:")[1].removesuffix(
        ":*"
    )
    groups = self.logs_backend.groups
    if name not in groups:
        raise moto("logs.exceptions").ResourceNotFoundException("The specified log group does not exist.")
    return groups[name]
