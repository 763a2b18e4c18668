"""What a process of the user's sees of the environment: what it needs to run, and what the user lets through."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from riskbox.sandbox.words.secrets import is_secret

ALLOWED = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "PWD", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR", "TMP", "TEMP", "XDG_*",
    "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "PYTHON*", "PYENV_ROOT", "NODE_PATH", "NVM_DIR", "JAVA_HOME", "GOPATH", "CARGO_HOME",
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LD_PRELOAD", "CUDA_*", "NVIDIA_*", "ROCR_*", "HIP_*", "OMP_*", "MKL_*", "OPENBLAS_*",
    "SSL_CERT_*", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "HF_HOME", "LITELLM_LOCAL_MODEL_COST_MAP", "COVERAGE_PROCESS_START",
)  # fmt: skip
"""Names, and patterns of names, that every process of the user's is given."""
RAY = ("RAY_*", "GRPC_*", "SPT_NOENV")
"""What a process of the user's needs besides, if it is one of Ray's workers."""
OURS = ("RAY_*", "RISKBOX_*")
"""Secrets of the cluster and of Riskbox itself: no agent expects them, so nobody is told that they are withheld."""
_REACHES = re.compile(r"DSN$|CONNECTION_STRING$")
_HOLDS_PASSWORD = re.compile(r"://[^/\s:@]*:[^/\s@]+@")


def is_allowed(name: str, also: Iterable[str] = ()) -> bool:
    """Whether a process of the user's is given a variable of this name."""
    return any(fnmatchcase(name, one) for one in (*ALLOWED, *also))


def environment(environ: Mapping[str, str], also: Iterable[str] = ()) -> dict[str, str]:
    """What a process of the user's is given of an environment.

    Args:
        environ: All of it.
        also: Names that the user lets through.
    """
    names = frozenset(also)
    return {name: value for name, value in environ.items() if is_allowed(name, names)}


def withheld(environ: Mapping[str, str], also: Iterable[str] = ()) -> list[str]:
    """The names of the user's variables that look like secrets and are not let through."""
    names = frozenset(also)
    return sorted(
        name
        for name, value in environ.items()
        if value.strip()
        and not is_allowed(name, (*names, *OURS))
        and (is_secret(name) or _REACHES.search(name.upper()) or _HOLDS_PASSWORD.search(value))
    )
