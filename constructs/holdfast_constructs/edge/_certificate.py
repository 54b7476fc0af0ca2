"""A certificate for a domain and everything one level below it, proved and renewed through DNS."""

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.acm_certificate import AcmCertificate, AcmCertificateOptions
from cdktf_cdktf_provider_aws.acm_certificate_validation import (
    AcmCertificateValidation,
    AcmCertificateValidationTimeouts,
)
from cdktf_cdktf_provider_aws.route53_record import Route53Record
from constructs import Construct

_RECORD_SECONDS = 300
# ACM issues within a few minutes once it finds the record. Terraform's provider would wait for 75 minutes,
# which a zone that nobody has delegated makes use of.
_LONGEST_WAIT = "15m"


class Certificate(Construct):
    """An ACM certificate for `domain` and `*.domain`; `zone_id` is the public zone it is proved in."""

    def __init__(self, scope: Construct, id_: str, *, domain: str, zone_id: str) -> None:
        super().__init__(scope, id_)
        self.certificate = AcmCertificate(
            self,
            "certificate",
            domain_name=domain,
            subject_alternative_names=[f"*.{domain}"],
            validation_method="DNS",
            options=AcmCertificateOptions(certificate_transparency_logging_preference="ENABLED"),
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        )
        record = self._prove(zone_id)
        self.validation = AcmCertificateValidation(
            self,
            "validation",
            certificate_arn=self.certificate.arn,
            validation_record_fqdns=[record.fqdn],
            timeouts=AcmCertificateValidationTimeouts(create=_LONGEST_WAIT),
        )

    @property
    def arn(self) -> str:
        """The ARN, known once the certificate is issued."""
        return self.validation.certificate_arn

    def _prove(self, zone_id: str) -> Route53Record:
        """Write the one record that proves the domain and its wildcard alike."""
        option = self.certificate.domain_validation_options.get(0)
        return Route53Record(
            self,
            "proof",
            zone_id=zone_id,
            name=option.resource_record_name,
            type=option.resource_record_type,
            records=[option.resource_record_value],
            ttl=_RECORD_SECONDS,
            # ACM asks for the same record in every region of an account.
            allow_overwrite=True,
        )
