"""All breakages of the zoo, and the sound wheels that resemble them."""

from tests.zoo.breakage import Breakage, Twin
from tests.zoo.closed_world import CLOSED_WORLD_BREAKAGES
from tests.zoo.container import CONTAINER, CONTAINER_TWINS
from tests.zoo.dist_info import DIST_INFO, DIST_INFO_TWINS
from tests.zoo.images_bounds import BOUNDS_TWINS, MACHO_BOUNDS, PE_BOUNDS
from tests.zoo.images_elf import IMAGES_ELF, TWINS_ELF
from tests.zoo.images_macho import IMAGES_MACHO, TWINS_MACHO
from tests.zoo.images_pe import IMAGES_PE, TWINS_PE
from tests.zoo.members import MEMBERS, MEMBERS_TWINS
from tests.zoo.package import PACKAGE_BREAKAGES
from tests.zoo.sboms import SBOMS

ZOO: tuple[Breakage, ...] = (
    *CONTAINER,
    *MEMBERS,
    *DIST_INFO,
    *PACKAGE_BREAKAGES,
    *CLOSED_WORLD_BREAKAGES,
    *SBOMS,
    *IMAGES_ELF,
    *IMAGES_MACHO,
    *IMAGES_PE,
    *MACHO_BOUNDS,
    *PE_BOUNDS,
)

TWINS: tuple[Twin, ...] = (
    *CONTAINER_TWINS,
    *MEMBERS_TWINS,
    *DIST_INFO_TWINS,
    *TWINS_ELF,
    *TWINS_MACHO,
    *TWINS_PE,
    *BOUNDS_TWINS,
)
