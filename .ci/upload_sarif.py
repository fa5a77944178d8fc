"""Upload findings to GitHub's code scanning: ``upload_sarif.py SARIF CATEGORY``.

It uses the REST API (https://docs.github.com/rest/code-scanning/code-scanning#upload-an-analysis-as-sarif-data)
and ends with 0 once GitHub has processed or at least accepted the findings, else with 21 and an annotation.
The token of the environment variable TOKEN goes to GITHUB_API_URL only, and is never printed.
"""

import base64
import gzip
import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

FAILED = 21
"""The exit status of the factory for a network or a server that failed."""
TIMEOUT_S = 60
PAUSE_S = 5
ASKED_AT_MOST = 24
_HINTS = {
    401: "Give the input token a valid token.",
    403: "Give the job the permission security-events: write; runs for a fork may not have it.",
    404: "The token must be able to read the repository, and code scanning must be available for it.",
    413: "The findings are too large for code scanning: check fewer wheels in one step.",
}


class UploadError(Exception):
    """The findings are not in code scanning."""


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_args: object) -> None:
        """Follow no redirect: the token is for one server."""


def payload(sarif: dict[str, object], category: str, env: Mapping[str, str]) -> dict[str, str]:
    """Return the body of the upload.

    GITHUB_SHA and GITHUB_REF belong together: for a pull request they are the merge commit and
    ``refs/pull/N/merge``. Findings of a tool replace those of the same commit and category; the category
    ends with the last slash of the id (SARIF 2.1.0, 3.17.3).
    """
    runs = sarif["runs"]
    assert isinstance(runs, list)  # noqa: S101 - the factory wrote the file
    named = {**sarif, "runs": [{**run, "automationDetails": {"id": f"{category}/"}} for run in runs]}
    return {
        "commit_sha": env["GITHUB_SHA"],
        "ref": env["GITHUB_REF"],
        "checkout_uri": Path(env["GITHUB_WORKSPACE"]).as_uri(),
        "sarif": base64.b64encode(gzip.compress(json.dumps(named).encode())).decode(),
    }


def upload(body: dict[str, str], env: Mapping[str, str], sleep: Callable[[float], None] = time.sleep) -> str:
    """Upload findings, wait until GitHub has processed them, and return what happened.

    Raises:
        UploadError: GitHub refused them, could not process them, or did not answer.
    """
    place = f"{env['GITHUB_API_URL']}/repos/{env['GITHUB_REPOSITORY']}/code-scanning/sarifs"
    accepted = str(_ask(Request(place, json.dumps(body).encode(), method="POST"), env).get("id", ""))  # noqa: S310
    if not re.fullmatch(r"[\w-]+", accepted):
        raise UploadError("GitHub accepted the findings without an id")
    for _ in range(ASKED_AT_MOST):
        sleep(PAUSE_S)
        state = _ask(Request(f"{place}/{accepted}"), env)  # noqa: S310
        if state.get("processing_status") == "complete":
            return f"code scanning has the findings (upload {accepted})"
        if state.get("processing_status") == "failed":
            raise UploadError(f"GitHub could not process the findings: {state.get('errors')}")
    return f"GitHub accepted the findings (upload {accepted}), but has not processed them yet"


def _ask(request: Request, env: Mapping[str, str]) -> dict[str, object]:
    if not env["TOKEN"]:
        raise UploadError("there is no token")
    request.add_unredirected_header("Authorization", f"Bearer {env['TOKEN']}")
    request.add_header("Accept", "application/vnd.github+json")
    request.add_header("X-GitHub-Api-Version", "2022-11-28")
    try:
        with build_opener(_NoRedirect).open(request, timeout=TIMEOUT_S) as response:
            answer = json.loads(response.read())
    except HTTPError as error:
        raise UploadError(
            f"GitHub answered {error.code}. {_HINTS.get(error.code, '')} {_message(error)}"
        ) from error
    except (OSError, ValueError) as error:
        raise UploadError(f"GitHub did not answer: {error}") from error
    if not isinstance(answer, dict):
        raise UploadError("GitHub's answer is not a JSON object")
    return answer


def _message(error: HTTPError) -> str:
    try:
        return str(json.loads(error.read())["message"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def main(env: Mapping[str, str], sleep: Callable[[float], None] = time.sleep) -> int:
    """Upload the file that the first argument names in the category of the second; return the exit status."""
    try:
        sarif = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
        said = upload(payload(sarif, sys.argv[2], env), env, sleep)
    except (UploadError, OSError, ValueError, KeyError) as error:
        problem = error if isinstance(error, UploadError) else repr(error)
        said = f"::error title=findings not uploaded::{problem}"
    said = said.replace(env.get("TOKEN") or "\0", "***")
    print(re.sub(r"[\x00-\x1f\x7f]+", " ", said).replace("%", "%25").strip())
    return FAILED if said.startswith("::error") else 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
