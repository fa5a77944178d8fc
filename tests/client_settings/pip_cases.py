"""Settings of pip, and what pip asks with them."""

from tests.client_settings.case import PIP_GLOBAL, PIP_LEGACY, PIP_USER, conf, pip, url

USER = {PIP_USER: conf("index-url", "user")}
BOTH_INSTALL = {PIP_USER: conf("index-url", "install", section="install") + conf("index-url", "global")}
PIP_CASES = (
    pip("a variable", "env", env={"PIP_INDEX_URL": url("env")}, files=USER),
    pip("a variable in lower case", "env", env={"PIP_index_url": url("env")}),
    pip("an empty variable", "user", env={"PIP_INDEX_URL": ""}, files=USER),
    pip("the older name of the variable", "env", env={"PIP_PYPI_URL": url("env")}),
    pip("the user's file", "user", files=USER),
    pip("the user's older file", "legacy", files={PIP_LEGACY: conf("index-url", "legacy")}),
    pip("both files of the user", "user", files={**USER, PIP_LEGACY: conf("index-url", "legacy")}),
    pip("the file for all users", "all", files={PIP_GLOBAL: conf("index-url", "all")}),
    pip("files of the user and of all users", "user", files={**USER, PIP_GLOBAL: conf("index-url", "all")}),
    pip(
        "a named file hides the user's file but not that for all users",
        "all",
        env={"PIP_CONFIG_FILE": "{D}/named.conf"},
        files={"named.conf": "[global]\ntimeout = 5\n", **USER, PIP_GLOBAL: conf("index-url", "all")},
    ),
    pip(
        "a named file",
        "named",
        env={"PIP_CONFIG_FILE": "{D}/named.conf"},
        files={"named.conf": conf("index-url", "named"), PIP_GLOBAL: conf("index-url", "all")},
    ),
    pip(
        "no files at all",
        "env",
        env={"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": url("env")},
        files={PIP_USER: conf("extra-index-url", "extra")},
    ),
    pip(
        "the section of the command",
        "command",
        files={PIP_GLOBAL: conf("index-url", "command", section="download"), **USER},
    ),
    pip("the section of another command", "global", files=BOTH_INSTALL),
    pip("the section of the other command", "install", files=BOTH_INSTALL, command="install"),
    pip(
        "a variable and the section of the command",
        "env",
        env={"PIP_INDEX_URL": url("env")},
        files={PIP_USER: conf("index-url", "command", section="download")},
    ),
    pip(
        "a section in upper case",
        "user",
        files={PIP_USER: conf("index-url", "caps", section="GLOBAL") + conf("index-url", "user")},
    ),
    pip("a key with other letters", "user", files={PIP_USER: conf("Index_URL", "user")}),
    pip("a key with dashes", "user", files={PIP_USER: conf("--index-url", "user")}),
    pip(
        "a default section",
        "default",
        files={PIP_USER: conf("index-url", "default", section="DEFAULT") + "[global]\ntimeout = 4\n"},
    ),
    pip(
        "only a default section",
        "all",
        files={
            PIP_USER: conf("index-url", "default", section="DEFAULT"),
            PIP_GLOBAL: conf("index-url", "all"),
        },
    ),
    pip(
        "several lines",
        "user",
        "one",
        "two",
        files={
            PIP_USER: conf("index-url", "user") + conf("extra-index-url", "one", "two", section="download")
        },
    ),
    pip(
        "a variable replaces the list of a file",
        "user",
        "env",
        env={"PIP_EXTRA_INDEX_URL": url("env")},
        files={PIP_USER: conf("index-url", "user") + "extra-index-url = {U}/one/simple/\n"},
    ),
    pip("a page of links", "user", "links", env={"PIP_FIND_LINKS": "{U}/links/"}, files=USER),
    pip("no index", "", env={"PIP_NO_INDEX": "1"}, files=USER),
    pip("no index, not", "user", env={"PIP_NO_INDEX": "off"}, files=USER),
    pip("no slash at the end", "env", env={"PIP_INDEX_URL": "{U}/env/simple"}),
)
