"""What a user chooses for a local sandbox. Forms, API schema and validation come from here."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VALUE_MAX = 32 * 1024


class LocalConfig(BaseModel):
    """Limits and switches of one local sandbox."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    memory_mb: int = Field(
        1024,
        ge=64,
        le=1024 * 1024,
        title="Memory",
        description="Memory of all processes together, files in /tmp included.",
        json_schema_extra={"unit": "MiB"},
    )
    processes: int = Field(
        256,
        ge=4,
        le=32768,
        title="Processes",
        description="How many processes and threads may exist at once.",
        json_schema_extra={"unit": "processes"},
    )
    cpu_seconds: int = Field(
        36000,
        ge=1,
        le=31_536_000,
        title="CPU time",
        description="CPU time of all commands together, over the whole life of the sandbox.",
        json_schema_extra={"unit": "seconds"},
    )
    disk_mb: int = Field(
        2048,
        ge=16,
        le=1024 * 1024,
        title="Disk",
        description="Files in the home folder and stored command output together.",
        json_schema_extra={"unit": "MiB"},
    )
    network: bool = Field(
        False,
        title="Network",
        description="Reach the internet. This machine and private networks stay out of reach.",
    )
    environment: dict[str, str] = Field(
        default_factory=dict,
        max_length=256,
        title="Environment",
        description="Variables that every command in the sandbox sees. Don't put secrets here.",
    )

    @field_validator("environment")
    @classmethod
    def _check_environment(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name[:60]!r} is no variable name: use letters, digits and _")
            if "\0" in text:
                raise ValueError(f"the value of {name} holds a NUL")
            if len(text.encode("utf-8", "surrogatepass")) > _VALUE_MAX:
                raise ValueError(f"the value of {name} is over 32 KiB")
        return value


# The registry finds every provider's model under this name.
Config = LocalConfig
