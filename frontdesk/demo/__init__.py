"""The demo organization: a dental clinic that people understand at once."""
