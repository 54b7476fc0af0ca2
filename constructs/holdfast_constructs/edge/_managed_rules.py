"""The AWS-managed rule groups the firewall uses, and the names of the rules in each.

Source: AWS WAF Developer Guide, "AWS Managed Rules rule groups list". Bot Control, which costs extra, and
AdminProtection, which blocks any path that begins with /admin, are left out on purpose.
"""

from collections.abc import Mapping
from types import MappingProxyType

MANAGED_RULES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "AWSManagedRulesAmazonIpReputationList": (
            "AWSManagedIPReputationList",
            "AWSManagedReconnaissanceList",
            "AWSManagedIPDDoSList",
        ),
        "AWSManagedRulesAnonymousIpList": ("AnonymousIPList", "HostingProviderIPList"),
        "AWSManagedRulesKnownBadInputsRuleSet": (
            "JavaDeserializationRCE_BODY",
            "JavaDeserializationRCE_HEADER",
            "JavaDeserializationRCE_QUERYSTRING",
            "JavaDeserializationRCE_URIPATH",
            "Host_localhost_HEADER",
            "PROPFIND_METHOD",
            "ExploitablePaths_URIPATH",
            "Log4JRCE_BODY",
            "Log4JRCE_HEADER",
            "Log4JRCE_QUERYSTRING",
            "Log4JRCE_URIPATH",
            "ReactJSRCE_BODY",
        ),
        "AWSManagedRulesCommonRuleSet": (
            "NoUserAgent_HEADER",
            "UserAgent_BadBots_HEADER",
            "SizeRestrictions_QUERYSTRING",
            "SizeRestrictions_Cookie_HEADER",
            "SizeRestrictions_BODY",
            "SizeRestrictions_URIPATH",
            "EC2MetaDataSSRF_BODY",
            "EC2MetaDataSSRF_COOKIE",
            "EC2MetaDataSSRF_URIPATH",
            "EC2MetaDataSSRF_QUERYARGUMENTS",
            "GenericLFI_QUERYARGUMENTS",
            "GenericLFI_URIPATH",
            "GenericLFI_BODY",
            "RestrictedExtensions_URIPATH",
            "RestrictedExtensions_QUERYARGUMENTS",
            "GenericRFI_QUERYARGUMENTS",
            "GenericRFI_BODY",
            "GenericRFI_URIPATH",
            "CrossSiteScripting_COOKIE",
            "CrossSiteScripting_QUERYARGUMENTS",
            "CrossSiteScripting_BODY",
            "CrossSiteScripting_URIPATH",
        ),
        "AWSManagedRulesSQLiRuleSet": (
            "SQLi_QUERYARGUMENTS",
            "SQLiExtendedPatterns_QUERYARGUMENTS",
            "SQLi_BODY",
            "SQLiExtendedPatterns_BODY",
            "SQLi_COOKIE",
        ),
    }
)
RATE_LIMIT = "RateLimit"

# The rules whose own action is Count: left alone they never block. All others block.
COUNTED_BY_AWS = frozenset({"AWSManagedIPDDoSList"})
# A request from a data centre is often another company's server calling an API: worth knowing, not blocking.
GENTLE_RULES = frozenset({"HostingProviderIPList", *COUNTED_BY_AWS})
