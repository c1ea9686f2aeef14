"""The networks, the contract beside their weights, and the runtimes that run them."""
