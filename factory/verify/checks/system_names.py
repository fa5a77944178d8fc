"""Names of system libraries that exist: API sets of Windows, and libraries in /usr/lib of macOS.

Neither Microsoft nor Apple publishes a complete list that could be bundled, so a name that is missing here
is not judged, instead of wrong.
"""

import re

_API_SET = re.compile(r"((?:api|ext)-[a-z0-9.-]+-l\d+-\d+)-\d+\.dll")
_SWIFT_LIBRARY = re.compile(r"/usr/lib/swift/libswift\w+\.dylib")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The API sets in the import libraries of mingw-w64 (``lib-common``, as shipped with Zig 0.17.1), without the
# prefix ``api-ms-win-`` and without the last number, which the loader of Windows ignores.
_API_SETS = _words("""
appmodel-runtime-l1-1 core-apiquery-l2-1 core-atoms-l1-1 core-backgroundtask-l1-1 core-calendar-l1-1
core-com-l1-1 core-com-l2-1 core-com-midlproxystub-l1-1 core-comm-l1-1 core-console-l1-1
core-console-l1-2 core-console-l2-1 core-console-l2-2 core-console-l3-2 core-datetime-l1-1
core-debug-l1-1 core-debug-minidump-l1-1 core-delayload-l1-1 core-enclave-l1-1 core-errorhandling-l1-1
core-featurestaging-l1-1 core-fibers-l1-1 core-fibers-l2-1 core-file-ansi-l1-1 core-file-ansi-l2-1
core-file-fromapp-l1-1 core-file-l1-1 core-file-l1-2 core-file-l2-1 core-firmware-l1-1 core-handle-l1-1
core-heap-l1-1 core-heap-l2-1 core-heap-obsolete-l1-1 core-interlocked-l1-1 core-interlocked-l1-2
core-io-l1-1 core-job-l1-1 core-job-l2-1 core-kernel32-legacy-ansi-l1-1 core-kernel32-legacy-l1-1
core-largeinteger-l1-1 core-libraryloader-l1-2 core-libraryloader-l2-1 core-localization-ansi-l1-1
core-localization-l1-2 core-localization-l2-1 core-localization-obsolete-l1-2 core-memory-l1-1
core-namedpipe-ansi-l1-1 core-namedpipe-l1-1 core-namedpipe-l1-2 core-namespace-ansi-l1-1
core-namespace-l1-1 core-normalization-l1-1 core-path-l1-1 core-perfcounters-l1-1
core-privateprofile-l1-1 core-processenvironment-ansi-l1-1 core-processenvironment-l1-1
core-processenvironment-l1-2 core-processsnapshot-l1-1 core-processthreads-l1-1
core-processtopology-l1-1 core-processtopology-obsolete-l1-1 core-profile-l1-1 core-psapi-ansi-l1-1
core-psapi-l1-1 core-psm-appnotify-l1-1 core-quirks-l1-1 core-realtime-l1-1 core-registry-l1-1
core-registry-l2-1 core-rtlsupport-l1-1 core-rtlsupport-l1-2 core-shutdown-ansi-l1-1 core-shutdown-l1-1
core-sidebyside-ansi-l1-1 core-sidebyside-l1-1 core-slapi-l1-1 core-state-helpers-l1-1 core-string-l1-1
core-string-l2-1 core-string-obsolete-l1-1 core-stringansi-l1-1 core-synch-ansi-l1-1 core-synch-l1-1
core-synch-l1-2 core-sysinfo-l1-1 core-sysinfo-l1-2 core-systemtopology-l1-1 core-threadpool-l1-2
core-threadpool-legacy-l1-1 core-timezone-l1-1 core-toolhelp-l1-1 core-url-l1-1 core-util-l1-1
core-version-l1-1 core-versionansi-l1-1 core-windowsceip-l1-1 core-windowserrorreporting-l1-1
core-winrt-error-l1-1 core-winrt-l1-1 core-winrt-registration-l1-1 core-winrt-robuffer-l1-1
core-winrt-roparameterizediid-l1-1 core-winrt-string-l1-1 core-wow64-l1-1 core-xstate-l1-1
core-xstate-l2-1 crt-conio-l1-1 crt-convert-l1-1 crt-environment-l1-1 crt-filesystem-l1-1 crt-heap-l1-1
crt-locale-l1-1 crt-math-l1-1 crt-multibyte-l1-1 crt-private-l1-1 crt-process-l1-1 crt-runtime-l1-1
crt-stdio-l1-1 crt-string-l1-1 crt-time-l1-1 crt-utility-l1-1 devices-config-l1-1 devices-query-l1-1
devices-swdevice-l1-1 downlevel-advapi32-l1-1 downlevel-advapi32-l2-1 downlevel-normaliz-l1-1
downlevel-ole32-l1-1 downlevel-shell32-l1-1 downlevel-shlwapi-l1-1 downlevel-shlwapi-l2-1
downlevel-user32-l1-1 downlevel-version-l1-1 eventing-classicprovider-l1-1 eventing-consumer-l1-1
eventing-controller-l1-1 eventing-legacy-l1-1 eventing-obsolete-l1-1 eventing-provider-l1-1
eventing-tdh-l1-1 eventlog-legacy-l1-1 gaming-deviceinformation-l1-1 gaming-expandedresources-l1-1
gaming-tcui-l1-1 mm-time-l1-1 net-isolation-l1-1 ntuser-sysparams-l1-1 oobe-notification-l1-1
perf-legacy-l1-1 power-base-l1-1 power-limitsmanagement-l1-1 power-setting-l1-1 ro-typeresolution-l1-1
security-appcontainer-l1-1 security-base-ansi-l1-1 security-base-l1-1 security-base-l1-2
security-cpwl-l1-1 security-credentials-l1-1 security-cryptoapi-l1-1 security-isolatedcontainer-l1-1
security-lsalookup-ansi-l2-1 security-lsalookup-l2-1 security-lsapolicy-l1-1 security-provider-ansi-l1-1
security-provider-l1-1 security-sddl-ansi-l1-1 security-sddl-l1-1 security-systemfunctions-l1-1
service-core-ansi-l1-1 service-core-l1-1 service-management-l1-1 service-management-l2-1
service-winsvc-l1-1 shcore-obsolete-l1-1 shcore-path-l1-1 shcore-registry-l1-1 shcore-scaling-l1-1
shcore-stream-l1-1 shcore-stream-winrt-l1-1 shcore-sysinfo-l1-1 shcore-unicodeansi-l1-1
shell-shdirectory-l1-1
""")

# Libraries in the macOS 11.3 SDK, and those that Panda3D's packager and published wheels take from /usr/lib.
_MACOS_LIBRARIES = _words("""
libAccessibility libAppleArchive libBSDPClient.A libDHCPServer.A libDiagnosticMessagesClient
libEndpointSecurity libIOReport libMatch.1 libMobileGestalt libScreenReader libSystem.B
libUniversalAccess libXplugin.1 libapr-1.0 libaprutil-1.0 libarchive.2 libauditd.0 libbsm.0 libbz2.1.0
libc++.1 libc++abi libcharset.1 libcmph libcompression libcoretls libcups.2 libcupsimage.2 libcurl.4
libdtrace libedit.3 libexslt.0 libffi libform.5.4 libiconv.2 libicucore.A libipsec.A liblzma.5
libmenu.5.4 libncurses.5.4 libobjc.A libpam.2 libpanel.5.4 libpcap.A libresolv.9 libsandbox.1 libsasl2.2
libsqlite3 libstdc++.6 libtidy.A libxar.1 libxml2.2 libxslt.1 libz.1
""")


LATER_WINDOWS = frozenset(
    {
        "combase.dll",
        "d3d12.dll",
        "dcomp.dll",
        "dxcore.dll",
        "icu.dll",
        "icuin.dll",
        "icuuc.dll",
        "projectedfslib.dll",
        "winhvemulation.dll",
        "winhvplatform.dll",
    }
)
"""DLLs of Windows 10 and 11, in lower case; delvewheel's lists are of Windows 7."""


def is_api_set_name(dll: str) -> bool:
    """Whether a DLL name in lower case has the form of an API set."""
    return _API_SET.fullmatch(dll) is not None


def is_known_api_set(dll: str) -> bool:
    """Whether a DLL name in lower case is an API set that Windows is known to have."""
    match = _API_SET.fullmatch(dll)
    return match is not None and match[1].removeprefix("api-ms-win-") in _API_SETS


def is_known_macos_library(path: str) -> bool:
    """Whether a path in /usr/lib is a library that macOS is known to have."""
    name = path.removeprefix("/usr/lib/").removesuffix(".dylib")
    return name in _MACOS_LIBRARIES or _SWIFT_LIBRARY.fullmatch(path) is not None
