"""What the error texts of Terraform, its backends and AWS mean: patterns, each seen in practice."""

import re
from collections.abc import Iterable

_STATE_ERRORS = re.compile(
    r"Failed to (save|persist|upload) state|Error saving (the )?state|error uploading state|"
    r"Failed to write state|Emergency state dump",
    re.IGNORECASE,
)

_LOCK_ERRORS = re.compile(
    r"Error releasing the state lock|failed to (release|unlock)|Error unlocking", re.IGNORECASE
)

_NO_LOCK = re.compile(r"Error acquiring the state lock", re.IGNORECASE)

_CREDENTIALS = re.compile(
    r"ExpiredToken|RequestExpired|InvalidClientTokenId|UnrecognizedClientException|"
    r"NoCredentialProviders|No valid credential sources|security token included in the request is",
    re.IGNORECASE,
)

_LOST_PROVIDER = re.compile(r"Plugin did not respond|plugin exited|connection is shut down", re.IGNORECASE)

_TRANSIENT = re.compile(
    r"Throttl|RequestLimitExceeded|Too ?Many ?Requests|SlowDown|LimitExceededException: Rate|"
    r"ServiceUnavailable|InternalError|InternalFailure|InternalServer|RequestTimeout\b|"
    r"StatusCode: (429|500|502|503|504)|status code: (429|500|502|503|504)|RequestTimeTooSkewed|"
    r"connection reset by peer|connection refused|use of closed network connection|broken pipe|i/o timeout|"
    r"network is unreachable|no route to host|host is (down|unreachable)|connection timed out|"
    r"connect: operation timed out|Client\.Timeout exceeded|TLS handshake timeout|"
    # Where a resource itself was waited for too long, its own patience has ended, and would end again.
    r"\A(?![\s\S]*\bwaiting for\b)[\s\S]*context deadline exceeded|"
    r"unexpected EOF|no such host|server misbehaving|ConcurrentModification|OperationAborted|"
    r"ConditionalRequestConflict",
    re.IGNORECASE,
)

_EXISTS = re.compile(
    r"already ?exists|AlreadyOwnedByYou|ResourceExists|ResourceInUse|ResourceConflict|"
    r"\.Duplicate\b|Duplicate[A-Z]\w+:|NameAlready|AlreadyInUse",
    re.IGNORECASE,
)

_NOT_MADE = re.compile(
    r"BucketAlreadyExists\b|operation error [\w ]+: (Create|Put|Run|Allocate|Register|Request|Import)\w+,"
    r"[^\n]*(StatusCode: 403|AccessDenied|UnauthorizedOperation)"
)

# A bucket that another account has in another region is only pointed to.
_HIDDEN = re.compile(r"Access ?Denied|UnauthorizedOperation|Forbidden|status ?code: (301|403)", re.IGNORECASE)

# Terraform's own word, whatever the object is called.
_NONE_TO_IMPORT = "Cannot import non-existent remote object"

# Said of an id that nothing has, and of one that is none for its type: Terraform 1.11, hashicorp/aws 5.100.0.
_ABSENT = re.compile(
    r"(?i:couldn't find resource|empty result|"
    r"\b(not found|does not exist|doesn't exist|no longer exists)\b|\bno [\w ]{1,60} found\b)|"
    r"NotFound|NoSuch[A-Z]|NonExist|NotExist|"
    r"(?i:\b(unexpected|wrong|invalid) format\b|"
    r"\b(invalid|malformed|unexpected)\b[\w \"'-]{0,40}\b(id|identifier|arn)\b|"
    r"\b(id|identifier|arn) (should|must) be\b|failed to satisfy constraint|"
    r"\bnot a valid \w+|\barn: invalid)|"
    r"Malformed\b|ValidationException|ValidationError|"
    r"Invalid(Parameter|Argument|Input|Arn|ARN|Address|ResourceId|KeyId|\w*Name)"
)

# Such an error means that nobody looked, whatever else it says.
_NOT_LOOKED = re.compile(
    r"state lock|load(ing)? (the )?state|refreshing (the )?state|provider plugin|load plugin|"
    r"Access ?Denied|Unauthorized|not authorized|Forbidden|AuthFailure|AuthorizationError|"
    r"cannot assume|AssumeRole|"
    r"status ?code: (401|403|5\d\d)",
    re.IGNORECASE,
)


def says_exists(error: str) -> bool:
    """Whether AWS refused to make an object because there is one of its name."""
    return _EXISTS.search(error) is not None


def says_absent(error: str) -> bool:
    """Whether an import failed because there is no such object, and for no other reason.

    Everything else (no network, no lock, no permission, no answer) leaves open whether there is one.
    """
    if error.startswith(_NONE_TO_IMPORT):
        return True
    nobody_looked = (_NOT_LOOKED, _TRANSIENT, _CREDENTIALS, _STATE_ERRORS, _LOST_PROVIDER)
    return _ABSENT.search(error) is not None and not any(pattern.search(error) for pattern in nobody_looked)


def says_not_made(error: str) -> bool:
    """Whether AWS refused the very call that makes an object, so that there is none of ours.

    It was not allowed, or another account has the name: those of buckets are the whole world's.
    """
    return _NOT_MADE.search(error) is not None


def says_hidden(error: str) -> bool:
    """Whether AWS does not let an object be looked at."""
    return _HIDDEN.search(error) is not None


def says_lock_not_released(errors: Iterable[str]) -> bool:
    """Whether Terraform could not release its lock."""
    return any(_LOCK_ERRORS.search(error) for error in errors)


def lock_not_taken(errors: Iterable[str]) -> bool:
    """Whether the lock could not be taken, for a reason that passes: nobody else holds it."""
    texts = list(errors)
    return any(_NO_LOCK.search(text) for text in texts) and passes(texts)


def passes(errors: Iterable[str]) -> bool:
    """Whether every error is of a kind that passes by itself, and there is one; one definite is definite."""
    texts = list(errors)
    return bool(texts) and all(_TRANSIENT.search(text) for text in texts)
