"""What the commands do, one file each; `cli.py` lists them."""
