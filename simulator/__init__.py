"""parksim: a smart-industrial-park telemetry simulator."""
