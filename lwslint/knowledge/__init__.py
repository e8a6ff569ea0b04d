"""What lwslint knows about libwebsockets and the APIs around it, as data with sources.

- :mod:`lwslint.knowledge.api`: the libwebsockets API, release by release
- :mod:`lwslint.knowledge.threads`: thread, signal, timer and event-loop APIs of C and C++
- :mod:`lwslint.knowledge.subprotocols`: registered and well-known WebSocket subprotocol names

Nothing is read before it is asked for.
"""
