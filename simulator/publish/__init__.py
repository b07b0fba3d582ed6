"""From batches to acknowledged MQTT messages, on schedule and bounded."""
