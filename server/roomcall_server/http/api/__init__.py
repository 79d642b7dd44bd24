"""`/api`: rooms for programs that ask by HTTP, and for the operator."""
