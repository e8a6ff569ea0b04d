"""What lwslint writes of SARIF 2.1.0, as a JSON schema: stricter than the standard's own.

Written from the standard's text (sections in the comments).  It names only what lwslint uses, and allows
nothing else, so that a misspelt property is an error too.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def of(required: Schema, optional: Schema | None = None) -> Schema:
    properties = {**required, **(optional or {})}
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def many(items: Schema) -> Schema:
    return {"type": "array", "items": items}


STRING: Schema = {"type": "string", "minLength": 1}
COUNT: Schema = {"type": "integer", "minimum": 1}
INDEX: Schema = {"type": "integer", "minimum": 0}
LEVEL: Schema = {"enum": ["none", "note", "warning", "error"]}
BAG: Schema = {"type": "object", "properties": {"tags": {**many(STRING), "uniqueItems": True}}}
# 3.4.3: a URI reference.  Relative to the root, no scheme, no way up.
URI: Schema = {
    "type": "string",
    "pattern": r"^(?!\.\.?(?:/|$))(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+"
    r"(?:/(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+)*$",
}
TEXT = of({"text": STRING})  # 3.11 message, 3.12 multiformat message string
HELP = of({"text": STRING, "markdown": STRING})
# 3.4; an index leads into run.artifacts.
ARTIFACT_LOCATION = of({"uri": URI, "uriBaseId": {"const": "%SRCROOT%"}}, {"index": INDEX})
SNIPPET = of({"text": {"type": "string"}})  # 3.3 artifactContent
REGION = of({"startLine": COUNT, "startColumn": COUNT, "endLine": COUNT, "endColumn": COUNT})  # 3.30
CONTEXT = of({"startLine": COUNT, "endLine": COUNT}, {"snippet": SNIPPET})
PHYSICAL = of({"artifactLocation": ARTIFACT_LOCATION}, {"region": REGION, "contextRegion": CONTEXT})  # 3.29
LOGICAL = of({"fullyQualifiedName": STRING, "kind": {"const": "function"}})  # 3.33
# 3.28 location; only related locations have an id.
LOCATION = of(
    {"physicalLocation": PHYSICAL}, {"message": TEXT, "logicalLocations": many(LOGICAL), "id": INDEX}
)
STEP = of({"location": LOCATION, "executionOrder": COUNT})  # 3.38
FLOW = of({"threadFlows": {**many(of({"locations": many(STEP)})), "minItems": 1}})  # 3.36, 3.37
# 3.55 fix, 3.56 artifactChange, 3.57 replacement
REPLACEMENT = of({"deletedRegion": REGION, "insertedContent": SNIPPET})
CHANGE = of({"artifactLocation": ARTIFACT_LOCATION, "replacements": {**many(REPLACEMENT), "minItems": 1}})
FIX = of({"description": TEXT, "artifactChanges": {**many(CHANGE), "minItems": 1}})
RESULT = of(  # 3.27
    {
        "ruleId": STRING,
        "ruleIndex": INDEX,
        "level": LEVEL,
        "rank": {"type": "number", "minimum": 0, "maximum": 100},
        "message": TEXT,
        "locations": {**many(LOCATION), "minItems": 1, "maxItems": 1},
        "partialFingerprints": {"type": "object", "additionalProperties": STRING},
        "properties": BAG,
    },
    {"relatedLocations": many(LOCATION), "codeFlows": many(FLOW), "fixes": many(FIX)},
)
RULE = of(  # 3.49 reportingDescriptor
    {"id": STRING, "name": STRING, "shortDescription": TEXT},
    {
        "fullDescription": TEXT,
        "help": HELP,
        "helpUri": {"type": "string", "pattern": "^https://"},
        "defaultConfiguration": of({"level": LEVEL}),
        "properties": BAG,
    },
)
NOTIFICATION = of({"level": LEVEL, "message": TEXT}, {"locations": many(LOCATION)})  # 3.58
INVOCATION = of(  # 3.20
    {"executionSuccessful": {"type": "boolean"}}, {"toolExecutionNotifications": many(NOTIFICATION)}
)
ARTIFACT = of({"location": ARTIFACT_LOCATION}, {"length": INDEX, "sourceLanguage": STRING})  # 3.24
DRIVER = of(  # 3.19 toolComponent
    {
        "name": {"const": "lwslint"},
        "informationUri": STRING,
        "semanticVersion": STRING,
        "rules": many(RULE),
    }
)
RUN = of(  # 3.14
    {
        "tool": of({"driver": DRIVER}),
        "columnKind": {"const": "unicodeCodePoints"},
        "originalUriBaseIds": of({"%SRCROOT%": of({"description": TEXT})}),
        "invocations": {**many(INVOCATION), "minItems": 1},
        "artifacts": many(ARTIFACT),
        "results": many(RESULT),
    }
)
LOG = of(  # 3.13
    {"$schema": STRING, "version": {"const": "2.1.0"}, "runs": {**many(RUN), "minItems": 1, "maxItems": 1}}
)
