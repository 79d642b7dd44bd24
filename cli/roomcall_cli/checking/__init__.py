"""`roomcall check`: peers in processes of their own, how they are conducted, and what is told."""
