"""What sensors show: pure functions of arrays, and the bank that evaluates them window by window."""
