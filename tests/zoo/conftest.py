from tests.index_of_executables import index_without_the_fabricated_release

__all__ = ["index_without_the_fabricated_release"]
