"""RDS instances: ids of their own, enhanced monitoring, Performance Insights.

moto 5.2.1 gives every instance the same resource id, so the AWS provider mixes up a second one with the
first, and drops the settings of monitoring and Performance Insights, so they are planned again and again.
AWS has an id for each, and gives the settings back.
So do we. A replica is an instance of its own, too.
"""

import string
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import attach, moto, wrap

_ID_LENGTH = 26
_DEFAULT_RETENTION_DAYS = 7
_KEPT = (
    "database_insights_mode",
    "dedicated_log_volume",
    "enable_performance_insights",
    "engine_lifecycle_support",
    "monitoring_interval",
    "monitoring_role_arn",
    "network_type",
    "performance_insights_kms_key_id",
    "performance_insights_retention_period",
)


def close() -> None:
    """Give instances ids of their own, and keep their settings."""
    models = moto("rds.models")

    @wrap(models.DBInstance, "__init__")
    def init(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.dbi_resource_id = _new_id()
        for name in _KEPT:
            if kwargs.get(name) is not None:
                setattr(self, name, kwargs[name])
        _complete(self)

    @wrap(models.DBInstance, "update")
    def update(original: Any, self: Any, **kwargs: Any) -> None:
        original(self, **kwargs)
        _complete(self)

    @wrap(models.RDSBackend, "create_db_instance_read_replica")
    def replicate(original: Any, self: Any, db_kwargs: dict[str, Any]) -> Any:
        replica = original(self, db_kwargs)
        replica.dbi_resource_id = _new_id()
        _forget_source(replica, db_kwargs)
        return replica

    attach(models.DBInstance, "performance_insights_enabled", property(_performance_insights))


def _forget_source(replica: Any, given: dict[str, Any]) -> None:
    # moto's replica is a copy of its source, shared lists and all; AWS takes these from the request only.
    for name in _KEPT:
        setattr(replica, name, given.get(name))
    replica.enabled_cloudwatch_logs_exports = list(given.get("enable_cloudwatch_logs_exports") or ())
    replica.enable_iam_database_authentication = given.get("enable_iam_database_authentication", False)
    replica.max_allocated_storage = given.get("max_allocated_storage") or replica.allocated_storage
    _complete(replica)


def _complete(instance: Any) -> None:
    if _performance_insights(instance):
        if not getattr(instance, "performance_insights_retention_period", None):
            instance.performance_insights_retention_period = _DEFAULT_RETENTION_DAYS
    else:
        instance.performance_insights_retention_period = None
        instance.performance_insights_kms_key_id = None
    if not getattr(instance, "monitoring_interval", 0):
        instance.monitoring_interval, instance.monitoring_role_arn = 0, None


def _performance_insights(instance: Any) -> bool:
    return bool(getattr(instance, "enable_performance_insights", False))


def _new_id() -> str:
    random = moto("moto_api._internal").mock_random
    return "db-" + "".join(random.choices(string.ascii_uppercase + string.digits, k=_ID_LENGTH))
