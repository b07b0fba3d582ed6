"""From MQTT into a store: the bridge, and the stores it writes to."""
