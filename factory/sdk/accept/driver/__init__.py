"""What runs inside the clean environment: it knows the SDK, and of the factory what is carried in."""
