"""Settings of uv, and what uv asks with them."""

from tests.client_settings.case import PROJECT, UV_SYSTEM, UV_USER, extra, index, index_url, url, uv

TOOL = "[tool.uv]\n"
ROOT = PROJECT.replace("{name}", "root") + TOOL + index_url("root") + "[tool.uv.workspace]\n"
MEMBER = PROJECT.replace("{name}", "member") + TOOL + index_url("member")
SOURCES = (
    PROJECT.replace("{name}", "x")
    + 'dependencies = ["no-such-project"]\n'
    + TOOL
    + index_url("project")
    + '[tool.uv.sources]\nno-such-project = { index = "assigned" }\n'
    + index("assigned", prefix="tool.uv.", name='"assigned"', explicit="true")
)
DEFAULT = {"UV_DEFAULT_INDEX": url("default")}
UV_CASES = (
    uv("a variable", "default", env=DEFAULT),
    uv("the older variable", "old", env={"UV_INDEX_URL": url("old")}),
    uv("both variables", "default", env={**DEFAULT, "UV_INDEX_URL": url("old")}),
    uv("an empty variable", "user", env={"UV_DEFAULT_INDEX": ""}, files={UV_USER: index_url("user")}),
    uv("a variable with a name", "default", env={"UV_DEFAULT_INDEX": "company={U}/default/simple/"}),
    uv(
        "a list in a variable",
        "default",
        "one",
        "two",
        env={**DEFAULT, "UV_INDEX": "{U}/one/simple/  x={U}/two/simple/"},
    ),
    uv(
        "the older list in a variable",
        "default",
        "one",
        "two",
        env={**DEFAULT, "UV_EXTRA_INDEX_URL": "{U}/one/simple/ {U}/two/simple/"},
    ),
    uv("an empty list", "default", env={**DEFAULT, "UV_INDEX": ""}),
    uv(
        "the name of a configured index",
        "user",
        env={"UV_DEFAULT_INDEX": "company"},
        files={UV_USER: index("user", name='"company"')},
    ),
    uv(
        "an explicit index by its name",
        "default",
        "user",
        env={**DEFAULT, "UV_INDEX": "company"},
        files={UV_USER: index("user", name='"company"', explicit="true")},
    ),
    uv(
        "a variable replaces the index of that name",
        "env",
        env={"UV_DEFAULT_INDEX": "company={U}/env/simple/"},
        files={UV_USER: index("user", name='"company"')},
    ),
    uv("the user's file", "user", files={UV_USER: index("user", default="true")}),
    uv("the user's file in the older form", "user", files={UV_USER: index_url("user")}),
    uv("both forms", "new", files={UV_USER: index_url("old") + index("new", default="true")}),
    uv("both forms without a default", "old", "new", files={UV_USER: index_url("old") + index("new")}),
    uv(
        "two defaults",
        "one",
        files={UV_USER: index("one", default="true") + index("two", default="true")},
    ),
    uv(
        "an explicit index",
        "default",
        env=DEFAULT,
        files={UV_USER: index("user", name='"company"', explicit="true")},
    ),
    uv("the system's file", "system", files={UV_SYSTEM: index_url("system")}),
    uv(
        "lists of all files are joined",
        "system",
        "one",
        "two",
        files={UV_SYSTEM: index_url("system") + extra("one"), UV_USER: extra("two")},
    ),
    uv(
        "no file of the system",
        "default",
        env={**DEFAULT, "UV_NO_SYSTEM_CONFIG": "1"},
        files={UV_SYSTEM: extra("system")},
    ),
    uv(
        "a project",
        "project",
        files={UV_USER: index_url("user"), "work/uv.toml": index_url("project")},
    ),
    uv(
        "the list of a file goes before the older form of another",
        "user",
        files={UV_USER: index("user", default="true"), "work/uv.toml": index_url("project")},
    ),
    uv(
        "a list of a project and a list of the user",
        "user",
        "project",
        files={UV_USER: index("user", default="true"), "work/uv.toml": index("project")},
    ),
    uv("a pyproject.toml", "project", files={"work/pyproject.toml": TOOL + index_url("project")}),
    uv(
        "uv.toml and pyproject.toml",
        "toml",
        files={"work/pyproject.toml": TOOL + index_url("project"), "work/uv.toml": index_url("toml")},
    ),
    uv(
        "the directory above",
        "project",
        directory="work/sub",
        files={
            "work/pyproject.toml": TOOL + index_url("project"),
            "work/sub/pyproject.toml": PROJECT.replace("{name}", "x"),
        },
    ),
    uv(
        "an empty table hides the directory above",
        "user",
        directory="work/sub",
        files={
            UV_USER: index_url("user"),
            "work/pyproject.toml": TOOL + index_url("project"),
            "work/sub/pyproject.toml": PROJECT.replace("{name}", "x") + TOOL,
        },
    ),
    uv(
        "a member of a workspace",
        "root",
        directory="work/packages/one/src",
        files={
            "work/pyproject.toml": ROOT + 'members = ["packages/*"]\n',
            "work/packages/one/pyproject.toml": MEMBER,
        },
    ),
    uv(
        "a project outside the workspace above it",
        "member",
        directory="work/sub",
        files={"work/pyproject.toml": ROOT + 'members = ["packages/*"]\n', "work/sub/pyproject.toml": MEMBER},
    ),
    uv(
        "a project that the workspace above it excludes",
        "member",
        directory="work/sub",
        files={
            "work/pyproject.toml": ROOT + 'members = ["*"]\nexclude = ["sub"]\n',
            "work/sub/pyproject.toml": MEMBER,
        },
    ),
    uv(
        "the table of uv pip",
        "pip",
        "one",
        "two",
        files={
            "work/uv.toml": index_url("project") + extra("one") + "[pip]\n" + index_url("pip") + extra("two")
        },
    ),
    uv(
        "the list goes before the table of uv pip",
        "user",
        files={UV_USER: index("user", default="true") + "[pip]\n" + index_url("pip")},
    ),
    uv(
        "the table of uv pip in another command",
        "project",
        command="lock",
        files={
            "work/pyproject.toml": PROJECT.replace("{name}", "x")
            + 'dependencies = ["no-such-project"]\n'
            + TOOL
            + index_url("project")
            + "[tool.uv.pip]\n"
            + index_url("pip")
        },
    ),
    uv("no index", "", env=DEFAULT, files={UV_USER: "no-index = true\n"}),
    uv("no index for uv pip", "", env=DEFAULT, files={UV_USER: "[pip]\nno-index = true\n"}),
    uv(
        "no index, not in the project",
        "default",
        env=DEFAULT,
        files={UV_USER: "no-index = true\n", "work/uv.toml": "no-index = false\n"},
    ),
    uv("no files", "default", env={**DEFAULT, "UV_NO_CONFIG": "1"}, files={UV_USER: extra("user")}),
    uv(
        "files, in spite of a variable",
        "default",
        "user",
        env={**DEFAULT, "UV_NO_CONFIG": "0"},
        files={UV_USER: extra("user")},
    ),
    uv(
        "a named file replaces all others",
        "named",
        env={"UV_CONFIG_FILE": "{D}/named.toml", "UV_NO_CONFIG": "1"},
        files={
            "named.toml": index_url("named"),
            UV_USER: extra("user"),
            "work/uv.toml": extra("project"),
        },
    ),
    uv(
        "the project of a variable",
        "other",
        env={"UV_PROJECT": "{D}/other"},
        files={"other/uv.toml": index_url("other"), "work/uv.toml": index_url("project")},
    ),
    uv(
        "the working directory of a variable",
        "other",
        env={"UV_WORKING_DIR": "{D}/other"},
        files={"other/uv.toml": index_url("other"), "work/uv.toml": index_url("project")},
    ),
    uv(
        "the variables of pip",
        "default",
        env={**DEFAULT, "PIP_INDEX_URL": url("pip"), "PIP_EXTRA_INDEX_URL": url("extra")},
    ),
)
