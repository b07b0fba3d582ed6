"""What happens: machines, lines, buffers, crews and calendars, as SimPy processes."""
