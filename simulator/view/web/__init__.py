"""The page: a run as a browser and Prometheus see it. It is only read; a browser that is slow or gone slows nothing."""
