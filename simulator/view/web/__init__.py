"""The view of a run that is a page in a browser."""

HOST, PORT = "127.0.0.1", 8080
"""Where it is unless the command line says otherwise."""
