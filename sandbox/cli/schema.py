"""`riskbox schema`: the JSON Schema of scenario files and of files of alternatives."""

from __future__ import annotations

from riskbox.sandbox.cli.options import Parser


def main(argv: list[str]) -> int:
    """Print the schema that editors use."""
    parser = Parser(
        "schema",
        "Print the JSON Schema of scenario files, for completion in editors.",
        "  riskbox schema > schema.json\n  riskbox schema --alternatives > alternatives.schema.json\n"
        "  riskbox schema | jq '.properties | keys'\n",
    )
    parser.add_argument("--alternatives", action="store_true", help="the schema of files of alternatives")
    given = parser.parse_args(argv)
    from riskbox.sandbox.loading.validation import schema_text
    from riskbox.sandbox.words.alternative import Alternatives
    from riskbox.sandbox.words.scenario import Scenario

    print(schema_text(Alternatives if given.alternatives else Scenario), end="")
    return 0
