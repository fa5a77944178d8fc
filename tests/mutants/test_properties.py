"""Properties as methods, so that they are mutated."""

from tests.mutants.properties import as_methods

SOURCE = """\
class Answer:
    @property
    def is_yes(self) -> bool:
        \"\"\"Whether it is yes.\"\"\"
        return (
            self.text == "yes"
        )

    @classmethod
    def parse(cls) -> str:
        return ""

    @functools.cached_property
    def names(self) -> str:
        return ""
"""


def test_a_property_is_a_method_that_becomes_a_property() -> None:
    assert (
        as_methods(SOURCE)
        == """\
class Answer:
    def is_yes(self) -> bool:
        \"\"\"Whether it is yes.\"\"\"
        return (
            self.text == "yes"
        )
    is_yes = property(is_yes)

    @classmethod
    def parse(cls) -> str:
        return ""

    @functools.cached_property
    def names(self) -> str:
        return ""
"""
    )
