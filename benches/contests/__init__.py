"""What is measured against what: one module a room, each a list of contests over the same inputs."""
