"""Everything that speaks MQTT; knows nothing of parks."""
