"""Reading a request's JSON: what json.loads lets through and no database can hold is refused."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser


class BodyParser(Parser):
    """JSON in UTF-8, without NaN, Infinity and half surrogate pairs. Raises ``ValueError``."""

    def parse_body(self, request: HttpRequest) -> Any:
        text = request.body.decode()
        data = json.loads(text, parse_constant=_refuse)
        if "\\ud" in text.lower():
            json.dumps(data, ensure_ascii=False).encode()
        return data


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")
