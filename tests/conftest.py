"""What holds for the whole suite."""

# Loaded after TensorFlow, which some tests need, libsrtp crashes the process. The app is safe: its
# pages load libsrtp before any model is loaded.
import pylibsrtp  # noqa: F401
