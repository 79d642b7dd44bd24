"""roomcall."""
