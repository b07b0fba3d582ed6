"""The web page of a run: a server in a thread beside it, which reads the feed and nothing else of the run."""

HOST, PORT = "127.0.0.1", 8080
"""Where the page is unless somebody says otherwise."""
