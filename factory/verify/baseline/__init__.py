"""The reviewed baseline: what wheels of this project contain, and how members are judged by it."""
