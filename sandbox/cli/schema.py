"""`riskbox schema`: the JSON Schema of scenario files."""

from __future__ import annotations

from riskbox.sandbox.cli.options import Parser


def main(argv: list[str]) -> int:
    """Print the schema that editors use."""
    Parser(
        "schema",
        "Print the JSON Schema of scenario files, for completion in editors.",
        "  riskbox schema > schema.json\n  riskbox schema | jq '.properties | keys'\n",
    ).parse_args(argv)
    from riskbox.sandbox.loading.loader import schema_text

    print(schema_text(), end="")
    return 0
