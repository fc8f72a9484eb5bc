"""Live to browsers and programs: the socket, and one command's output as it comes."""
