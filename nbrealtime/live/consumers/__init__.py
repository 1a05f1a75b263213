"""Who takes a topic's messages: callbacks, iterators, threads that wait, and linked widgets."""
