"""Find the messages of a release that an SDK cannot parse."""
