"""The InfluxDB family over HTTP: InfluxDB 1.x, 2.x and 3.x, and VictoriaMetrics. The only home of influxdb-client."""

from simulator.ingest.stores.influxdb.address import Address
from simulator.ingest.stores.influxdb.store import InfluxStore

__all__ = ["Address", "InfluxStore"]
