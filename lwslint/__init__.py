"""lwslint: a static linter for programs that use libwebsockets."""

__version__ = "0.1.0"
