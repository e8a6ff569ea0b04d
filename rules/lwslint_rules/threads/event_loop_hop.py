"""An object of an event loop is used from another thread.

## What it reports

In Python, on a thread that the program or a library starts:

- a coroutine of a connection is driven by a loop of the thread's own (`asyncio.run()`,
  `new_event_loop().run_until_complete()`), while the connection belongs to another loop;
- `loop.create_task()`, `call_soon()`, `call_later()`, `asyncio.Event.set()`, `asyncio.Queue.put_nowait()`,
  `Future.set_result()` on objects of a loop that the thread does not run;
- `asyncio.create_task()`, `IOLoop.current()` and what else needs a loop on the current thread;
- tornado's `write_message()`, autobahn's `sendMessage()` on twisted, twisted's reactor, picows.

On any thread, callbacks and endpoints included: `asyncio.run()`, or a loop that is made for the one call,
drives a connection that was opened on another loop.

And the other way round: a loop that runs on a thread of its own (`Thread(target=loop.run_forever)`,
`Thread(target=reactor.run)`, a thread that calls `asyncio.run()`), used by the thread that started it, or by
public methods of the class that did (a warning, as who calls them is not known).

Threads are those of `threading`, executors, `to_thread`, `run_in_executor`, `Timer`, `QThread`, twisted's
`callInThread`, APScheduler's background jobs, the callbacks of GStreamer, kombu, pika, paho, rospy,
pynput, keyboard, watchdog, sounddevice and PyAudio, and the endpoints of Flask, and those of FastAPI that
are no coroutines. The report shows where the thread starts and each call on the way. In a coroutine, waiting
for `run_coroutine_threadsafe(...).result()` and calling a blocking WebSocket client are reported too.

websocket-client, `websockets.sync` and paho lock their own calls and are not reported.

## What happens at run time

Mostly nothing is raised. A task that another thread creates is not noticed until the loop happens to
wake: on an idle connection, never. Small messages driven by a second loop seem to go out; when the
buffer is full, or for `recv()` and `close()`, RuntimeError comes, and frames of two threads mix in one
stream: a server like libwebsockets then drops the connection.

## Example

```python
def on_sample(self, data):                  # runs on the thread that reads the device
    loop = asyncio.new_event_loop()
    loop.run_until_complete(self.ws.send(data))
```

## Write instead

```python
async def connect(self):
    self.loop = asyncio.get_running_loop()  # the loop that owns the connection
    self.ws = await websockets.connect(self.url)

def on_sample(self, data):
    asyncio.run_coroutine_threadsafe(self.ws.send(data), self.loop)
```

For a plain function: `loop.call_soon_threadsafe(function, ...)`; on tornado `io_loop.add_callback(...)`, on
twisted `reactor.callFromThread(...)`.

## Known limits

What an object is, is told from what makes it, its annotation or its class; of a parameter that nothing in
the tree fills, only from its name. Code that asks
which thread or loop it is on before it decides (`threading.current_thread()`, `asyncio.get_running_loop()` in
a `try`) is taken to decide well.

## References

- docs.python.org, library/asyncio-dev, "Concurrency and Multithreading"
- tornado.ioloop.IOLoop.add_callback; docs.twisted.org, core/howto/threading
- superdesk-core pull request 3212, notebook-intelligence issue 264, roslibpy pull request 84,
  tornado issues 2182, 2271, 2515
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Confidence, Diagnostic, Impact, Severity
from lwslint.model.project import Project
from lwslint.model.python_exposure import of_path
from lwslint.model.python_misuse import misuses
from lwslint.model.python_threads import Misuse
from lwslint.rule import Rule
from lwslint.settings import Ladder

rule = Rule(
    code="LWS109", name="event-loop-hop", family="threads", impact=Impact.CONNECTION, languages=("python",)
)


def check(project: Project) -> Iterator[Diagnostic]:
    if not project.python_files:
        return
    for misuse in misuses(project):
        yield _report(misuse, project.settings.python)


def _report(misuse: Misuse, ladder: Ladder) -> Diagnostic:
    where = f" on another thread ({misuse.start.how})" if misuse.start is not None else misuse.where
    severity = Severity.ERROR if misuse.severe else Severity.WARNING
    if misuse.possible:
        severity = Severity.NOTE
    step = of_path(misuse.definition.path, ladder)
    if step is None and misuse.start is not None:
        step = of_path(misuse.start.place.path, ladder)
    note = ""
    if step is not None:
        severity, note = Severity.NOTE, f" ({step.text})"
    return rule.report(
        misuse.place,
        f"{misuse.effect}: {misuse.what}{where}{note}",
        severity=severity,
        confidence=Confidence.HIGH if misuse.certain else Confidence.MEDIUM,
        help=f"write {misuse.help}" if "(" in misuse.help.split(" ")[0] else misuse.help,
        related=misuse.chain,
        function=misuse.definition.qualified,
    )
