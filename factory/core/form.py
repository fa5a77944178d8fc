"""How a field is written as JSON, if it differs from the rules of `factory.core.codec`."""

from enum import Enum, auto


class Form(Enum):
    """How a field's member differs from the rule, as metadata: ``field(metadata={Form.KEY: "name"})``."""

    KEY = auto()
    """The member's name, where it is not the field's."""
    FLATTENED = auto()
    """The members of the field's value are members of the object itself."""
    KINDS = auto()
    """The value is of one of several classes, by the text that the additional member ``kind`` then has."""
    SHARED = auto()
    """Members that the field's object does not repeat, each with the name of the outer member it equals."""
    OCTAL = auto()
    """The number is a string of octal digits, as file modes are: ``"0755"``."""
    MAY_BE_MISSING = auto()
    """Older documents lack the member; the field then has its default."""
    OMITTED_IF_NONE = auto()
    """None is written as no member, not as null."""
