"""A Python callback gives libwebsockets no int, or is collected while lws still calls it.

## What it reports

Functions that lws calls through `ctypes.CFUNCTYPE(c_int, ...)`, `ffi.callback("int(...)")` or
`@ffi.def_extern()` without `error=`:

- error: a path that ends without `return`, or returns None, and a `raise` that nothing catches;
- warning: a call that may raise outside a `try` with `except Exception`;
- error: `lib.lws_...(CALLBACK(f))`: the callback object is not stored anywhere.

Functions of lws itself are not taken to raise.

## What happens at run time

ctypes cannot pass an exception on to C, nor None as an int. It prints a traceback at most, and lws goes on
with whatever was in the register: 0, 1, 464841608 in one test. Non-zero closes the connection, and the
process crashed inside lws. A callback object that was collected leaves a pointer to freed memory.

## Example

```python
@CALLBACK
def on_event(wsi, reason, user, data, length):
    if reason == LWS_CALLBACK_CLIENT_RECEIVE:
        handle(json.loads(string_at(data, length)))
```

## Write instead

```python
@CALLBACK
def on_event(wsi, reason, user, data, length):
    try:
        if reason == LWS_CALLBACK_CLIENT_RECEIVE:
            handle(json.loads(string_at(data, length)))
    except Exception:
        log.exception("callback failed")
        return -1
    return lib.lws_callback_http_dummy(wsi, reason, user, data, length)
```

## Known limits

Whether a call can raise is not looked into. Cython is not read.

## References

- docs.python.org, library/ctypes, "Callback functions"; cffi documentation of `def_extern`
- measured with ctypes on libwebsockets 4.1.6
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Confidence, Diagnostic, Impact, Severity
from lwslint.model.project import Project
from lwslint.model.python_native import Fault, faults
from lwslint.rule import Rule

rule = Rule(
    code="LWS314",
    name="ctypes-callback-may-not-return-int",
    family="callbacks",
    impact=Impact.CRASH,
    languages=("python",),
)


def check(project: Project) -> Iterator[Diagnostic]:
    if not project.python_files:
        return
    for fault in faults(project):
        yield _report(fault)


def _report(fault: Fault) -> Diagnostic:
    definition = fault.callback.definition
    if fault.message.startswith("nothing keeps"):
        text = f"libwebsockets calls freed memory: {fault.message}"
        help = "keep the callback object in a variable at module level or on self"
    else:
        where = f"in the callback {definition.name}(), {fault.message}"
        text = f"libwebsockets goes on with an indeterminate int: {where}"
        help = "catch Exception around the whole body and return -1 there, and return an int on every path"
    return rule.report(
        fault.place,
        text,
        severity=Severity.ERROR if fault.certain else Severity.WARNING,
        confidence=Confidence.HIGH if fault.certain else Confidence.MEDIUM,
        help=help,
        function=definition.qualified,
    )
