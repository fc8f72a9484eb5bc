"""How the portal's templates say times, sizes, states and exits."""

from __future__ import annotations

import signal
from datetime import datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..models import Command, Sandbox
from ..states import CommandState, SandboxState

register = template.Library()

UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))

# state -> how its badge looks (templates/components/state.html)
SANDBOX_LOOKS = {
    SandboxState.RUNNING: "good",
    SandboxState.STOPPED: "rest",
    SandboxState.FAILED: "bad",
    SandboxState.LOST: "warn",
    SandboxState.DELETED: "gone",
}
COMMAND_LOOKS = {
    CommandState.QUEUED: "rest",
    CommandState.EXITED: "good",
    CommandState.TIMED_OUT: "warn",
    CommandState.CANCELLED: "gone",
    CommandState.FAILED: "bad",
    CommandState.LOST: "warn",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """``{% icon "box" %}``: a decoration; the words beside it say the same."""
    address = f"{static('portal/img/icons.svg')}#{name}"
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"></use></svg>', address)


@register.simple_tag
def ago(moment: datetime | None) -> SafeString:
    """``{% ago sandbox.created_at %}``: "3 min ago", ticking in the browser (js/page/times.js)."""
    if moment is None:
        return SafeString("")
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        local.isoformat(timespec="milliseconds"),
        f"{local:%Y-%m-%d %H:%M:%S %Z}",
        _ago(moment),
    )


def _ago(moment: datetime) -> str:
    seconds = int((timezone.now() - moment).total_seconds())
    size = abs(seconds)
    if size < 10 and seconds >= 0:
        return "just now"
    if size >= 7 * 86400:
        return f"{timezone.localtime(moment):%-d %b %Y}"
    unit, name = next((u, n) for u, n in UNITS if size >= u or u == 1)
    if seconds < 0:
        return f"in {round(size / unit)} {name}"
    return f"{size // unit} {name} ago"


@register.simple_tag
def moment(value: datetime | None) -> SafeString:
    """``{% moment command.created_at %}``: date and time in full."""
    if value is None:
        return SafeString("—")
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}">{}</time>', local.isoformat(), f"{local:%-d %b %Y, %H:%M:%S}"
    )


@register.filter
def span(seconds: float | None) -> str:
    """``{{ 75|span }}``: "1 min 15 s"."""
    if seconds is None:
        return "—"
    whole = int(seconds)
    if seconds < 10:
        return f"{seconds:.1f} s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


@register.simple_tag
def took(command: Command) -> SafeString:
    """``{% took command %}``: how long it ran, ticking while it runs."""
    if command.started_at is None:
        return SafeString("")
    if command.ended:
        return format_html('<span data-took class="nowrap">{}</span>', span(command.duration))
    return format_html(
        '<time datetime="{}" data-since>{}</time>',
        command.started_at.isoformat(timespec="milliseconds"),
        span(command.duration),
    )


@register.filter
def lifetime(seconds: int) -> str:
    """``{{ sandbox.ttl_seconds|lifetime }}``: "8 hours"."""
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0 and seconds >= size:
            count = seconds // size
            return f"{count} {name}" + ("" if count == 1 else "s")
    return f"{seconds} seconds"


@register.inclusion_tag("components/state.html")
def sandbox_state(sandbox: Sandbox) -> dict[str, Any]:
    """``{% sandbox_state sandbox %}``: the state as colour, shape and word."""
    look = SANDBOX_LOOKS.get(SandboxState(sandbox.state), "busy")
    return {"look": look, "label": SandboxState(sandbox.state).label}


@register.inclusion_tag("components/state.html")
def command_state(command: Command) -> dict[str, Any]:
    """``{% command_state command %}``: the state or, once ended, what became of it."""
    state = CommandState(command.state)
    look = COMMAND_LOOKS.get(state, "busy")
    if state == CommandState.EXITED and command.exit_code != 0:
        look = "bad"
    return {"look": look, "label": ending(command) if state == CommandState.EXITED else state.label}


@register.filter
def ending(command: Command) -> str:
    """``{{ command|ending }}``: "exit 1" or "SIGKILL"; empty without either."""
    if command.exit_code is not None:
        return f"exit {command.exit_code}"
    if command.signal is not None:
        try:
            return signal.Signals(command.signal).name
        except ValueError:
            return f"signal {command.signal}"
    return ""
