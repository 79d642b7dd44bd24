"""One real connection with every other member."""
