#!/usr/bin/python3
"""check_schema.py SCHEMA RECORD: validates recorded lines (record.py) against schemas/connector-protocol.schema.json.

Needs Debian's python3-jsonschema. An answer is checked against the result of the method that it answers. Lines that begin with
"a " and "e " are single actions and events. Prints what was seen, one word a line; exits with 1 at the first line that is wrong.
"""

import json
import sys

try:
    import jsonschema
except ImportError:
    sys.exit("check_schema.py needs the package python3-jsonschema")

schema = json.load(open(sys.argv[1], encoding="utf-8"))
jsonschema.Draft202012Validator.check_schema(schema)


def validate(value: object, definition: str) -> None:
    part = {"$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]}
    jsonschema.Draft202012Validator(part).validate(value)


asked: dict[tuple[str, object], str] = {}  # method by (who asked, id)
seen: set[str] = set()
for number, line in enumerate(open(sys.argv[2], encoding="utf-8"), 1):
    sign, message = line[0], json.loads(line[2:])
    try:
        if sign in "ae":
            kind = {"a": "action", "e": "event"}[sign]
            validate(message, kind)
            seen.add(f"{kind}:{message['type']}")
            continue
        sender, other = ("gateway", "child") if sign == ">" else ("child", "gateway")
        validate(message, f"from_{sender}")
        if "method" in message:
            seen.add(f"{sender}:{message['method']}")
            if "id" in message:
                asked[sender, message["id"]] = message["method"]
        elif "result" in message:
            method = asked[other, message["id"]]
            validate(message["result"], f"result_{method}")
            seen.add(f"result:{method}")
        else:
            seen.add(f"error:{message['error']['data']['code']}")
    except (jsonschema.ValidationError, KeyError) as mistake:
        sys.exit(f"line {number}: {line.strip()}\n{mistake}")
print("\n".join(sorted(seen)))
