"""The web page of a run: what the feed shows, to browsers, to `parksim watch`, and to Prometheus."""
