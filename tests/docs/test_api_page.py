from __future__ import annotations

import ast
from dataclasses import dataclass

from tools import api_reference


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A class for this test."""

    size: int = 3
    """How large it is."""

    @property
    def half(self) -> float:
        """Half of it."""
        return self.size / 2

    def grown(self, by: int = 1, *, times: int) -> Sample:
        """A larger one.

        By addition.
        """
        return Sample(size=self.size + by * times)


class Plain:
    """A class that is no dataclass."""

    def __init__(self, size: int) -> None:
        self.size = size
        """How large it is."""
        self.secret = size


def test_the_page_is_what_the_docstrings_say():
    message = "docs/api.md is stale. Mend it with: make docs"
    assert api_reference.PAGE.read_text(encoding="utf-8") == api_reference.api_reference(), message


def test_a_class_is_shown_with_fields_properties_and_methods():
    page = api_reference.section("Sample", Sample)
    assert "- `size: int` – How large it is." in page
    assert "- `half: float` – Half of it." in page
    assert "- `grown(by: int = 1, *, times: int) -> Sample` – A larger one.\n\n  By addition." in page


def test_an_attribute_is_shown_where_the_class_tells_about_it():
    page = api_reference.section("Plain", Plain)
    assert "- `size` – How large it is." in page
    assert "secret" not in page


def test_a_long_signature_has_one_parameter_a_line():
    node = ast.parse("def verb(first: int, /, *rest: str, last: bool = True, **more: object) -> None: ...").body[0]
    assert isinstance(node, ast.FunctionDef)
    assert api_reference.signature("verb", node) == (
        "verb(first: int, /, *rest: str, last: bool = True, **more: object) -> None"
    )
    assert api_reference.signature("verb", node, width=40).split("\n")[:3] == ["verb(", "    first: int,", "    /,"]


def test_sections_of_a_docstring_become_lists():
    text = "Sum.\n\nArgs:\n    first: one\n        and more\n    second: two\n\n    x = 1\n\n>>> 1 + 1\n2"
    assert api_reference.fenced(text) == (
        "Sum.\n\n**Args**\n\n- first: one and more\n- second: two\n\n```\nx = 1\n```\n\n```pycon\n>>> 1 + 1\n2\n```"
    )
