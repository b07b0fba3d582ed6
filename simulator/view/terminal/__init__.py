"""The terminal view: a Textual app that shows documents of a feed, in a process of its own."""
