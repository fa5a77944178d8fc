"""What upstream released: channels, downloads, archives, payload."""
