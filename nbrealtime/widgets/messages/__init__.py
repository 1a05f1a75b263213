"""Tables and logs: messages as rows."""
