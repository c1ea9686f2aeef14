"""What tests and benchmarks share: the real app, its visitors and servers, films and scenes."""
