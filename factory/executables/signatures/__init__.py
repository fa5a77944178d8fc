"""Read the signatures of executables: Apple code signatures, Authenticode, sigstore bundles."""
