"""Failures a provider may report. Each is a type with a stable code and a sentence for the user.

The names follow Grainchain's ``core.exceptions`` where it has one; ``TimeoutError`` is
``ProviderTimeout`` here so that it never shadows the builtin.
"""

from __future__ import annotations


class ProviderError(Exception):
    """A provider call failed in a way we understand.

    Args:
        message: one sentence for the user that names the remedy; holds no secret.
        detail: more for the log, never shown to users.
    """

    code = "provider_error"
    retryable = False

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


class ConfigurationError(ProviderError):
    """The sandbox configuration or the provider's settings are wrong."""

    code = "configuration_invalid"


class AuthenticationError(ProviderError):
    """The vendor refused the credential."""

    code = "credential_rejected"


CredentialRejected = AuthenticationError


class ProviderUnreachable(ProviderError):
    """The provider did not answer; the same call may succeed later."""

    code = "provider_unreachable"
    retryable = True


class ProviderTimeout(ProviderUnreachable):
    """A call took longer than its limit. Whether it took effect is unknown."""

    code = "provider_timeout"


class QuotaExceeded(ProviderError):
    """The vendor's or the host's limit is reached."""

    code = "quota_exceeded"


class IsolationUnavailable(ProviderError):
    """The host can't isolate a sandbox and the operator has not allowed going without."""

    code = "isolation_unavailable"


class CapabilityMissing(ProviderError):
    """This provider doesn't have what was asked for; its ``Capabilities`` says so too."""

    code = "not_supported"


class SandboxGone(ProviderError):
    """The sandbox no longer exists or no longer runs at the provider."""

    code = "sandbox_gone"


class SandboxStorageLost(SandboxGone):
    """The sandbox's files are gone: it can't be started again, only deleted."""

    code = "sandbox_storage_lost"


class RunNotFound(ProviderError):
    """The sandbox knows no run with this id."""

    code = "run_not_found"


class RunRefused(ProviderError):
    """The run could not be started: wrong command, working directory, environment, or limits.

    ``code`` is set per instance: ``command_invalid``, ``working_dir_missing``,
    ``environment_invalid``, ``process_limit``, ``disk_full``, ``cpu_time_exhausted``,
    ``request_invalid`` (another field is out of bounds), ``run_id_invalid`` or ``run_refused``.
    """

    def __init__(self, message: str, *, code: str = "run_refused", detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.code = code
