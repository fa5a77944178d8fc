"""An unofficial Python SDK for the app-server of Codex, made for one release of it.

For example::

    from codex_factory_sdk import Codex, final_text

    with Codex() as codex:
        thread = codex.thread_start()
        handle = thread.turn("Describe this project.")
        print(handle.run().status, final_text(handle.items()))
"""

from codex_factory_sdk._notification import Notification, UnknownNotification
from codex_factory_sdk._open_models import UnknownVariant
from codex_factory_sdk._turns import final_text
from codex_factory_sdk.approvals import Answer, ApprovalHandler, AsyncApprovalHandler, ServerRequest
from codex_factory_sdk.async_client import AsyncCodexClient
from codex_factory_sdk.async_codex import AsyncCodex, AsyncLoginHandle, AsyncThread, AsyncTurnHandle
from codex_factory_sdk.client import CodexClient
from codex_factory_sdk.codex import Codex, LoginHandle, Thread, TurnHandle
from codex_factory_sdk.config import CodexConfig
from codex_factory_sdk.errors import (
    AuthenticationRequired,
    CodexError,
    CodexRpcError,
    ConnectionFailed,
    IncompatibleAppServer,
    InternalRpcError,
    InvalidParamsError,
    InvalidRequestError,
    MethodNotFoundError,
    ParseError,
    ProtocolError,
    RequestTimeout,
    RuntimeNotFound,
    ServerBusyError,
    SlowConsumer,
    TransportClosedError,
    UnexpectedMessage,
)
from codex_factory_sdk.generated.release import RELEASE, RUNTIME_REQUIREMENT, SDK_VERSION
from codex_factory_sdk.inputs import (
    ImageInput,
    Input,
    InputItem,
    LocalImageInput,
    MentionInput,
    SkillInput,
    TextInput,
)
from codex_factory_sdk.retry import async_retry_on_overload, retry_on_overload

__version__ = SDK_VERSION

__all__ = [
    "RELEASE",
    "RUNTIME_REQUIREMENT",
    "Answer",
    "ApprovalHandler",
    "AsyncApprovalHandler",
    "AsyncCodex",
    "AsyncCodexClient",
    "AsyncLoginHandle",
    "AsyncThread",
    "AsyncTurnHandle",
    "AuthenticationRequired",
    "Codex",
    "CodexClient",
    "CodexConfig",
    "CodexError",
    "CodexRpcError",
    "ConnectionFailed",
    "ImageInput",
    "IncompatibleAppServer",
    "Input",
    "InputItem",
    "InternalRpcError",
    "InvalidParamsError",
    "InvalidRequestError",
    "LocalImageInput",
    "LoginHandle",
    "MentionInput",
    "MethodNotFoundError",
    "Notification",
    "ParseError",
    "ProtocolError",
    "RequestTimeout",
    "RuntimeNotFound",
    "ServerBusyError",
    "ServerRequest",
    "SkillInput",
    "SlowConsumer",
    "TextInput",
    "Thread",
    "TransportClosedError",
    "TurnHandle",
    "UnexpectedMessage",
    "UnknownNotification",
    "UnknownVariant",
    "__version__",
    "async_retry_on_overload",
    "final_text",
    "retry_on_overload",
]
