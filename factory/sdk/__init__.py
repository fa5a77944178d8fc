"""What an SDK needs from a runtime: a pin, a staged SDK, the protocol's types, and acceptance cases."""
