"""`can_send_images`: the name of its tool, and the limits of what one turn sends."""

SEND_IMAGE = "send_image"
MOST_IMAGES = 5  # of one turn
LONGEST_CAPTION = 1_000  # characters; WhatsApp takes 1,024
