"""The rules of production: the blocks refuse by them, and so do the settings before anything is built.

Each raises ConstructError with what production asks for. Who builds without settings gets the same refusals.
"""

from holdfast_constructs.errors import ConstructError
from holdfast_constructs.profiles import Nat

BACKUP_DAYS, MOST_BACKUP_DAYS = 7, 35
# AWS Security Hub, control CloudWatch.16.
LOG_DAYS = 365
# CloudWatch Logs, PutRetentionPolicy: the only retentions it accepts, in days.
LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545),
    *(731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


def check_local(*, local: bool) -> None:
    """Production is a real account."""
    if local:
        raise ConstructError(
            "production", got=True, allowed="False on the local cloud", next_step="remove one of the two"
        )


def check_kept(*, delete_protection: bool) -> None:
    """Nothing that holds data goes without a snapshot."""
    if not delete_protection:
        raise ConstructError(
            "delete_protection", got=False, allowed="true in production", next_step="remove the line"
        )


def check_log_days(days: int) -> None:
    """What happened can be looked up for a year."""
    if days < LOG_DAYS:
        allowed = "one of " + ", ".join(str(each) for each in LOG_RETENTION_DAYS if each >= LOG_DAYS)
        raise ConstructError(
            "log_retention_days",
            got=days,
            allowed=f"{allowed} in production",
            next_step="raise it, or remove the line",
        )


def check_nat(nat: Nat) -> None:
    """No zone needs another one's NAT gateway."""
    if nat == "single":
        raise ConstructError(
            "nat",
            got=nat,
            allowed="per_az in production, or none",
            next_step="remove the line: with a single gateway every zone loses its way out when one fails",
        )


def check_firewall(environment: str, *, public: bool, protected: bool, because: str | None) -> None:
    """What the Internet reaches has a firewall, or somebody says why not."""
    if public and not protected and because is None:
        raise ConstructError(
            f"the public load balancer of {environment} has no firewall",
            next_step="give it firewall=Firewall(…), or say why it needs none: no_firewall_because=…",
        )


def check_standby(environment: str, *, multi_az: bool) -> None:
    """No database lives in one zone only."""
    if not multi_az:
        raise ConstructError(
            f"multi_az in {environment}", got=multi_az, allowed="True in production: a zone can fail"
        )


def check_backup_days(days: int) -> None:
    """A mistake found after the weekend can be undone."""
    if days < BACKUP_DAYS:
        raise ConstructError(
            "backup_days",
            got=days,
            allowed=f"{BACKUP_DAYS}-{MOST_BACKUP_DAYS} in production",
            next_step="raise it",
        )
