"""What apps are built with, and on what."""

STACK = "cflinuxfs4"
BUILDPACKS = ("staticfile_buildpack", "nodejs_buildpack", "python_buildpack", "binary_buildpack")
