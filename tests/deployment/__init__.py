"""The deployment as `docs/deployment.md` has it, in real containers: `make deployment-test`."""
