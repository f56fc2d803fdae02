"""The strings under fields, read from source where somebody asks to see them.

pydantic can collect them too, but then every start pays for parsing the source of every settings
class (25 ms); only `profiles schema` and `agents describe` need the words.
"""

import ast
import inspect
from collections.abc import Iterable
from typing import Any


def field_docs(kind: type) -> dict[str, str]:
    """Return field to the string under it, for one class."""
    body = ast.parse(inspect.cleandoc("\n" + inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    docs: dict[str, str] = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        match below:
            case ast.Expr(ast.Constant(str(text))):
                docs[field.target.id] = inspect.cleandoc(text)
    return docs


def describe(schema: dict[str, Any], kinds: Iterable[type]) -> None:
    """Add descriptions to the definitions of a JSON schema, by class name, in place."""
    definitions = {schema.get("title"): schema, **schema.get("$defs", {})}
    for kind in kinds:
        properties = definitions.get(kind.__name__, {}).get("properties", {})
        for name, text in field_docs(kind).items():
            if name in properties:
                properties[name].setdefault("description", text)
