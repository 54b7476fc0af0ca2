"""Flow logs to S3.

moto 5.2.1 takes a folder in the destination for a part of the bucket's name ("does not exist"), and
forgets the destination options, so that a flow log with them is replaced by every plan.
AWS takes `arn:aws:s3:::bucket/folder/` and gives the options back. So do we.
"""

from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import moto, wrap


def close() -> None:
    """Let flow logs go to a folder, and keep their options."""
    logs = moto("ec2.models.flow_logs")

    @wrap(logs.FlowLogsBackend, "create_flow_logs")
    def create(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
        whole = kwargs.get("log_destination") or ""
        if kwargs.get("log_destination_type") == "s3":
            kwargs["log_destination"] = whole.partition("/")[0]
        made, failed = original(self, *args, **kwargs)
        for log in made:
            log.log_destination = whole or log.log_destination
        return made, failed

    @wrap(moto("ec2.responses.flow_logs").FlowLogs, "create_flow_logs")
    def respond(original: Any, self: Any) -> Any:
        answer = original(self)
        options = self._get_param("DestinationOptions")
        for identifier in answer.result["FlowLogIds"] if options else ():
            self.ec2_backend.flow_logs[identifier].destination_options = _OFF | dict(options)
        return answer


_OFF = {"FileFormat": "plain-text", "HiveCompatiblePartitions": False, "PerHourPartition": False}
