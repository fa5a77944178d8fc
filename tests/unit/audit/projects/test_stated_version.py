import pytest

from factory.audit.projects.stated_version import constant_in


def test_a_text_that_is_assigned_once_is_read() -> None:
    assert constant_in(b'OTHER = 1\nCLI = "1.2.3"\n', "CLI") == "1.2.3"


@pytest.mark.parametrize(
    "source",
    [
        b'CLI = "1.2.3"\nCLI = "1.2.2"\n',
        b'CLI = 5\nCLI = "1.2.3"\n',
        b'CLI = OTHER = "1.2.3"\n',
        b"CLI = 5\n",
        b'CLI = ""\n',
        b'CLI = "1.2.3\\n"\n',
        b'CLI = "' + b"1" * 65 + b'"\n',
        b'CLI = "1.2.3"\n(',
        b'OTHER = "1.2.3"\n',
    ],
)
def test_anything_less_simple_is_not(source: bytes) -> None:
    assert constant_in(source, "CLI") is None
