import tomllib

import pytest

from factory.audit.codex.infer import project_file
from factory.audit.project_file import CoreMetadata, NotInferable

METADATA = b"""\
Metadata-Version: 2.4
Name: openai-codex-cli-bin
Version: 0.131.0
Summary: Pinned runtime
Project-URL: Homepage, https://example.invalid/codex
Author: OpenAI
Maintainer-email: A Person <a@example.invalid>
License: Apache-2.0
Classifier: Development Status :: 4 - Beta
Requires-Python: >=3.10
Description-Content-Type: text/markdown

# Runtime

Text.
"""


def test_each_field_gives_its_key_of_the_project_file() -> None:
    metadata = CoreMetadata.parse(METADATA)
    document = tomllib.loads(project_file(metadata, backend="hatchling==1.29.0").decode())

    assert metadata.description == "# Runtime\n\nText.\n"
    assert document["build-system"] == {
        "requires": ["hatchling==1.29.0"],
        "build-backend": "hatchling.build",
    }
    assert document["project"] == {
        "name": "openai-codex-cli-bin",
        "version": "0",
        "description": "Pinned runtime",
        "urls": {"Homepage": "https://example.invalid/codex"},
        "authors": [{"name": "OpenAI"}],
        "maintainers": [{"name": "A Person", "email": "a@example.invalid"}],
        "license": {"text": "Apache-2.0"},
        "classifiers": ["Development Status :: 4 - Beta"],
        "requires-python": ">=3.10",
        "readme": {"file": "README.md", "content-type": "text/markdown"},
    }
    assert document["tool"] == {
        "hatch": {
            "build": {
                "ignore-vcs": True,
                "targets": {
                    "wheel": {"core-metadata-version": "2.4", "packages": ["src/codex_cli_bin"]},
                },
                "hooks": {"custom": {"path": "hatch_build.py"}},
            }
        }
    }


def test_addresses_may_lack_a_name_and_urls_may_contain_a_comma() -> None:
    text = METADATA.replace(b"Author: OpenAI", b"Author-email: a@example.invalid").replace(
        b"/codex\n", b"/codex?a, b\n"
    )
    project = tomllib.loads(project_file(CoreMetadata.parse(text), backend="hatchling==1.29.0").decode())
    assert project["project"]["authors"] == [{"email": "a@example.invalid"}]
    assert project["project"]["urls"] == {"Homepage": "https://example.invalid/codex?a, b"}


def test_metadata_may_end_after_its_fields() -> None:
    metadata = CoreMetadata.parse(b"Metadata-Version: 2.4\nName: openai-codex-cli-bin\n")
    assert metadata.fields == (("Metadata-Version", "2.4"), ("Name", "openai-codex-cli-bin"))
    assert metadata.description == ""


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"Author: ", b"Obsoletes: ", "METADATA has the field Obsoletes, which comes from no known key"),
        (b"Author: OpenAI", b"Author: OpenAI\n  and others", "METADATA has a line that is not a field"),
        (b"Author: OpenAI", b"Author: ", "METADATA has a line that is not a field: 'Author: '"),
        (b"Author: OpenAI", b"Name: evil", "METADATA has the field Name more than once"),
        (b"Name: openai-codex-cli-bin", b"Name: evil", "METADATA names 'evil'"),
        (b"Metadata-Version: 2.4\n", b"", "METADATA has no Metadata-Version"),
        (b"Homepage, https", b"https", "METADATA has the project URL"),
        (b"Description-Content-Type: text/markdown\n", b"", "a description without a content type"),
        (b"Pinned", b"\xff", "METADATA is not UTF-8"),
    ],
)
def test_a_field_without_a_known_key_stops_the_inference(old: bytes, new: bytes, reason: str) -> None:
    with pytest.raises(NotInferable, match=reason):
        project_file(CoreMetadata.parse(METADATA.replace(old, new)), backend="hatchling==1.29.0")
