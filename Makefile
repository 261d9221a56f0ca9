# The one entry. `make help` lists the targets.
include apxs/build.mk
