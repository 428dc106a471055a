"""Write docs/api.md: the docstring and signature of every public name, as one page."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path

import optiscope
import optiscope.runs
from optiscope import errors

SECTIONS = {"Args", "Attributes", "Raises", "Returns", "Yields"}
"""The headings of a docstring whose entries become a list."""
HANDED_OUT = ("Catalogue", "RunSummary", "Snapshots", "Event", "Losses", "Tail", "Cursor")
"""Classes of `optiscope.runs` that nobody constructs, but that runs and their lists hand out."""
PAGE = Path(__file__).resolve().parent.parent / "docs" / "api.md"
NOTE = "<!-- Written by `make docs` from the docstrings. Change those, not this page. -->"
INTRODUCTION = """\
Functions and most classes are reached as `import optiscope as osc; osc.<name>`; the last classes are handed out by
others and live in `optiscope.runs`. Names that are not on this page are not public and may change at any time."""


def definition(thing: object) -> ast.FunctionDef | ast.ClassDef:
    """The syntax tree of a function or class, whose annotations read as they were written."""
    source = textwrap.dedent(inspect.getsource(thing))  # type: ignore[arg-type]
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef | ast.ClassDef)
    return node


def inherited(thing: object, node: ast.ClassDef) -> list[ast.stmt]:
    """What a class has from the direct bases of ours that are not on the page themselves, without what it replaces."""
    own = {statement.name for statement in node.body if isinstance(statement, ast.FunctionDef)}
    found: list[ast.stmt] = []
    for base in getattr(thing, "__bases__", ()):
        if base.__module__.startswith("optiscope.") and getattr(optiscope, base.__name__, None) is not base:
            body = definition(base)
            assert isinstance(body, ast.ClassDef)
            found += [one for one in body.body if not (isinstance(one, ast.FunctionDef) and one.name in own)]
    return found


def parameters(arguments: ast.arguments) -> Iterator[str]:
    """The parameters of a function, spaced as the formatter would, without self."""
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + arguments.defaults
    for place, (argument, default) in enumerate(zip(positional, defaults, strict=True), start=1):
        if argument.arg not in {"self", "cls"}:
            yield parameter(argument, default)
        if place == len(arguments.posonlyargs):
            yield "/"
    if arguments.vararg is not None:
        yield "*" + parameter(arguments.vararg, None)
    elif arguments.kwonlyargs:
        yield "*"
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield parameter(argument, default)
    if arguments.kwarg is not None:
        yield "**" + parameter(arguments.kwarg, None)


def parameter(argument: ast.arg, default: ast.expr | None) -> str:
    """`name: type = default`."""
    written = argument.arg + (f": {ast.unparse(argument.annotation)}" if argument.annotation is not None else "")
    if default is None:
        return written
    return (
        f"{written} = {ast.unparse(default)}"
        if argument.annotation is not None
        else f"{written}={ast.unparse(default)}"
    )


def signature(name: str, node: ast.FunctionDef, *, width: int = 120) -> str:
    """`name(parameters) -> result`, on one line or with one parameter a line."""
    written = list(parameters(node.args))
    result = f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""
    line = f"{name}({', '.join(written)}){result}"
    if len(line) <= width:
        return line
    return "\n".join([f"{name}(", *(f"    {each}," for each in written), f"){result}"])


def told_below(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
    """Each statement with the docstring below it, or ""."""
    for statement, following in zip(body, [*body[1:], None], strict=True):
        match following:
            case ast.Expr(value=ast.Constant(value=str(told))):
                yield statement, inspect.cleandoc(told)
            case _:
                yield statement, ""


def fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """The fields of a dataclass with the docstrings below them."""
    for statement, told in told_below(node.body):
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
                yield f"{name}: {ast.unparse(statement.annotation)}", told


def attributes(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """The attributes that `__init__` sets and tells about."""
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            for statement, told in told_below(method.body):
                match statement:
                    case ast.Assign(targets=[ast.Attribute(attr=name)]) if told and not name.startswith("_"):
                        yield name, told


def is_property(node: ast.FunctionDef) -> bool:
    """Whether a method is read like a field."""
    decorators = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return not decorators.isdisjoint({"property", "cached_property"})


def members(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """The public properties and methods of a class with their docstrings."""
    for statement in node.body:
        if not isinstance(statement, ast.FunctionDef) or statement.name.startswith("_"):
            continue
        told = ast.get_docstring(statement) or ""
        if is_property(statement):
            result = f": {ast.unparse(statement.returns)}" if statement.returns is not None else ""
            yield f"{statement.name}{result}", told
        else:
            yield signature(statement.name, statement, width=1000), told


def listed(items: Iterator[tuple[str, str]]) -> list[str]:
    """One list entry for each item, the docstring's further paragraphs indented below it."""
    entries = []
    for written, told in items:
        first, _, rest = told.partition("\n\n")
        entry = f"- `{written}`" + (f" – {' '.join(first.split())}" if first else "")
        entries.append(entry + ("\n\n" + textwrap.indent(fenced(rest), "  ") + "\n" if rest else ""))
    return entries


def fenced(text: str) -> str:
    """A docstring as Markdown: its `Args:`-like sections as lists, indented code and doctests in fences."""
    lines: list[str] = []
    for paragraph in text.strip().split("\n\n"):
        head, *body = paragraph.split("\n")
        if body and head.endswith(":") and head[:-1] in SECTIONS:
            lines += [f"**{head[:-1]}**", "", *section_items(textwrap.dedent("\n".join(body))), ""]
        elif paragraph.startswith((">>>", "    ")):
            lines += ["```pycon" if ">>>" in paragraph else "```", *textwrap.dedent(paragraph).split("\n"), "```", ""]
        else:
            lines += [*paragraph.split("\n"), ""]
    return "\n".join(lines).rstrip()


def section_items(text: str) -> Iterator[str]:
    """The entries of a docstring section; a line that is indented deeper continues the entry before it."""
    entry = ""
    for line in text.split("\n"):
        if line.startswith(" ") and entry:
            entry += " " + line.strip()
        else:
            if entry:
                yield f"- {entry}"
            entry = line.strip()
    if entry:
        yield f"- {entry}"


def section(name: str, thing: object) -> str:
    """The part of the page about one public name."""
    node = definition(thing)
    if isinstance(node, ast.FunctionDef):
        return "\n".join(
            [f"## {name}", "", "```text", signature(name, node), "```", "", fenced(inspect.getdoc(thing) or "")]
        ).rstrip()
    node.body = [*inherited(thing, node), *node.body]
    lines = [f"## {name}", "", fenced(inspect.getdoc(thing) or "")]
    data = fields(node) if dataclasses.is_dataclass(thing) else attributes(node)
    items = [*listed(data), *listed(members(node))]
    return "\n".join([*lines, "", *items]).rstrip()


def errors_section() -> str:
    """The tree of exceptions, and what each one means."""
    lines = ["## errors", "", "```", inspect.cleandoc(errors.__doc__ or ""), "```"]
    return "\n".join(lines)


def api_reference() -> str:
    """The whole page."""
    named = {name: getattr(optiscope, name) for name in optiscope.__all__ if name not in {"__version__", "errors"}}
    functions = [section(name, thing) for name, thing in named.items() if not isinstance(thing, type)]
    classes = [section(name, thing) for name, thing in named.items() if isinstance(thing, type)]
    handed_out = [section(name, getattr(optiscope.runs, name)) for name in HANDED_OUT]
    title = "# Public API\n\n" + NOTE + "\n\n" + INTRODUCTION
    return "\n\n".join([title, *functions, *classes, *handed_out, errors_section()]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(api_reference(), encoding="utf-8")
