"""The run behind ``factory sdk types``: fetch a runtime, get its schema, generate or compare."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from factory.build.toolchain import Toolchain, lock_named
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.release.channels import Channel
from factory.sdk.types.breaking import AssessedChange, assess
from factory.sdk.types.runtime import (
    TypesWorkspace,
    choose_runtime,
    launches_on,
    require_schema_command,
    write_schema,
)
from factory.sdk.types.schema import SchemaBundle
from factory.sdk.types.types_package import GENERATOR_LOCK, TypesPackage, format_modules, make_package
from factory.system.cache import made_again
from factory.system.files import writing
from factory.system.host import Host
from factory.wheels.context import RunContext
from factory.wheels.fetch import source_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TypesMaker:
    """Generates types, and compares protocols.

    Attributes:
        target: The target whose runtime is started; by default the first that the host can start.
        scratch: An empty directory that the caller removes. It should not be in memory: a runtime has 300 MB.
    """

    channel: Channel
    host: Host
    target: Target | None
    context: RunContext
    scratch: Path

    def make(self, tag: CodexTag) -> TypesPackage:
        """Generate the types of a release.

        Raises:
            FactoryError: The runtime cannot be fetched or writes no schema, or the generator fails.
        """
        return self.package_of(self.schema_of(tag), f"Codex {tag.pep440}")

    def make_from(self, schema_dir: Path, tag: CodexTag | None) -> TypesPackage:
        """Generate types from an existing schema; the release only appears in the header."""
        origin = "an unnamed release" if tag is None else f"Codex {tag.pep440}"
        return self.package_of(SchemaBundle.read(schema_dir), origin)

    def compare(self, before: CodexTag, after: CodexTag) -> tuple[AssessedChange, ...]:
        """Return the changes in the protocol between two releases, with whom they break."""
        return assess(self.schema_of(before), self.schema_of(after))

    def schema_of(self, tag: CodexTag) -> SchemaBundle:
        """Return the protocol of a release, as its own executable writes it.

        Raises:
            FactoryError: The runtime cannot be fetched, or writes no schema.
        """
        require_schema_command(tag)
        launches = launches_on(self.host, only=self.target)
        asset, launch = choose_runtime(self.channel.assets(tag), launches)

        def attempt(is_checked: bool) -> SchemaBundle:  # noqa: FBT001 - see `made_again`
            path = self.context.downloader.fetch(asset, is_checked=is_checked)
            with self.context.progress.task(f"schema of {tag.pep440}"):
                source = source_of(asset, path, self.context.cache)
                return write_schema(source, launch, tag, self.workspace(f"runtime-{tag.pep440}"))

        return made_again(attempt)

    def format_modules(self, modules: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """Format Python modules, given by their relative paths, as generated ones are.

        Raises:
            FactoryError: The formatter fails.
        """
        return format_modules(modules, self.toolchain(), self.workspace("formatter"))

    def package_of(self, bundle: SchemaBundle, origin: str) -> TypesPackage:
        """Generate the types of a protocol; ``origin`` names its release.

        Raises:
            FactoryError: The generator fails.
        """
        toolchain = self.toolchain()
        with self.context.progress.task("types"):
            return make_package(
                bundle, origin=origin, toolchain=toolchain, workspace=self.workspace("generator")
            )

    def toolchain(self) -> Toolchain:
        """Return the interpreter with the generator, the formatter and pydantic.

        Raises:
            FactoryError: It cannot be installed.
        """
        return self.context.toolchain_for(lock_named(GENERATOR_LOCK))

    def workspace(self, name: str) -> TypesWorkspace:
        """Return a new directory, with what a process needs to run in it.

        Raises:
            CannotWrite: It cannot be created.
        """
        with writing(self.scratch):
            scratch = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.scratch))
        return TypesWorkspace(scratch=scratch, runner=self.context.runner, env=self.context.host_env)
