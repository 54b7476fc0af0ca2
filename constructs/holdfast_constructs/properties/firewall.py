"""The properties of `Firewall`."""

from holdfast_constructs.properties import Always, Property, Theme

DIAGRAM = """
requests ── refused addresses ── addresses let through ── limits of requests (429)
                                                               │
     load balancer ◀── what is no exception ◀── managed groups of AWS
matches ── log group (without credentials), metrics for each rule
"""

PROPERTIES = {
    "logs_key": Property(
        why="encrypts the log of what its rules match", controls=("CKV_AWS_158",), theme=Theme.ENCRYPTED
    ),
    "mode": Property(
        why="count shows in the log what would be blocked; block when that holds nothing a customer sent",
        theme=Theme.BOUNDARY,
        satisfied=lambda value, profile: profile != "prod" or value == "block",
    ),
    "rate_limit": Property(
        why="requests that one address may make in five minutes; above it the answer is 429",
        theme=Theme.BOUNDARY,
    ),
    "rule_modes": Property(why="rules, managed groups and limits that differ from mode, by name"),
    "exceptions": Property(
        why="hosts and paths where some rules only count, so that they block everywhere else",
    ),
    "rate_limits": Property(why="other limits for single hosts and paths, such as a login"),
    "allow_addresses": Property(why="addresses that no rule is asked about; least is best"),
    "block_addresses": Property(
        why="addresses that are refused whatever they send, also where mode is count"
    ),
}

_ACL = "aws_wafv2_web_acl"

ALWAYS = (
    Always(
        resource=_ACL,
        argument="visibility_config.cloudwatch_metrics_enabled",
        value=True,
        why="what it lets through and refuses is counted, and each rule's matches are",
        controls=("FSBP WAF.12",),
        theme=Theme.OBSERVED,
    ),
    Always(
        resource=_ACL,
        argument="rule.visibility_config.cloudwatch_metrics_enabled",
        value=True,
        why="a rule that meets honest requests shows in its metric before it blocks",
        controls=("FSBP WAF.12",),
        theme=Theme.OBSERVED,
    ),
    Always(
        resource="aws_wafv2_web_acl_logging_configuration",
        argument="logging_filter.default_behavior",
        value="DROP",
        why="the log has what rules matched; all other requests are in the load balancer's log",
        controls=("CKV2_AWS_31", "FSBP WAF.11"),
        theme=Theme.OBSERVED,
    ),
    Always(
        resource="aws_wafv2_web_acl_logging_configuration",
        argument="redacted_fields.single_header.name",
        value="authorization",
        why="no token is written into the log; the cookie is left out too",
        theme=Theme.ENCRYPTED,
    ),
)
