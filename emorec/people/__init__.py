"""Who it is: people who agreed to be recognised, and how their faces are told apart."""
