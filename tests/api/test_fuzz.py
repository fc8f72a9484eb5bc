"""Schemathesis against the API in this process: what the description says is what happens."""

from __future__ import annotations

import re

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase
from hypothesis import settings as limits
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    ignored_auth,
    unsupported_method,
]


schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())


@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("ignore")
@schema.parametrize()
@limits(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
def test_it_does_what_it_says(case, alice, token_for, make_command):
    row = make_command(stdout=b"out")
    real = {"sandbox_id": str(row.sandbox_id), "command_id": str(row.pk)}
    for name in set(case.path_parameters or {}) & set(real):
        if UUID.fullmatch(str(case.path_parameters[name])):  # valid ones become real ones
            case.path_parameters[name] = real[name]
    if "wait" in (case.query or {}):
        case.query["wait"] = 0
    headers = {"Authorization": f"Bearer {token_for(alice)}"}
    case.call_and_validate(headers=headers, checks=CHECKS)
