"""Which objects of a database the MetaData speaks for."""


def is_ours(_: object, name: str | None, kind: str, reflected: bool, compared: object) -> bool:
    """The job engine's tables are made by its own statements; the MetaData does not know them."""
    return not (kind == "table" and reflected and compared is None and str(name).startswith("pgqueuer"))
