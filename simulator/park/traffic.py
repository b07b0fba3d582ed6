"""The traffic of a park: who sends through which gateway, and how long packets are on average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simulator.batch import Catalog
from simulator.scenario.machine_type import MachineType
from simulator.signals.device import Device
from simulator.signals.devices.gateway import GatewayDevice
from simulator.signals.traffic import Traffic
from simulator.wire.message_size import field_bytes, frame_bytes, packet_overhead

__all__ = ["traffic_of"]

SECOND_NS = 1_000_000_000
QOS = 1
"""A packet of QoS 0 is two bytes shorter, which shows in no digit."""


def traffic_of(devices: Mapping[int, Device], catalog: Catalog, specs: Sequence[MachineType]) -> Traffic | None:
    """Return the traffic of the gateways among the devices; None if there are none.

    Bytes are those of MQTT packets as ``simulator.wire.message_size`` foresees them, without TCP/IP.
    """
    gateways = [device for device in devices.values() if isinstance(device, GatewayDevice)]
    if not gateways:
        return None
    sensor_bytes = np.zeros(len(catalog), dtype=np.int64)
    asset_bytes = np.zeros(len(catalog.assets), dtype=np.int64)
    lengths: dict[int, list[int]] = {}
    for number in sorted({number for gateway in gateways for number in gateway.carried}):
        asset, spec = catalog.assets[number], specs[number]
        if id(spec) not in lengths:
            lengths[id(spec)] = [round(field_bytes(one, spec, SECOND_NS / spec.cycle)) for one in spec.sensors]
        sensor_bytes[asset.first_sensor : asset.first_sensor + len(asset.sensors)] = lengths[id(spec)]
        asset_bytes[number] = frame_bytes(1.0) + packet_overhead(asset.topic, QOS)
    return Traffic(catalog, gateways, sensor_bytes=sensor_bytes, asset_bytes=asset_bytes)
