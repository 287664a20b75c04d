"""What an assistant is configured to do: the sections of its record, and the pure rules that read them."""
