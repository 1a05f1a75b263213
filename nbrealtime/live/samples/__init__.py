"""Samples: the numbers of a topic, from payloads to the ring and its coarser past."""
