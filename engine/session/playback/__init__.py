"""A recorded session played back on a screen: any instant, made again from its inputs."""
