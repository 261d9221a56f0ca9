# The one entry. `make help` lists the targets.
.DEFAULT_GOAL := help

include apxs/build.mk

export HTTPS_PORT HTTP_PORT HTTPS_ADDRESS TRESTLE_USER TRESTLE_VAR DESTDIR

.PHONY: help run start stop status install uninstall clean run-products

help:
	@echo 'make run         everything from nothing: packages, modules, database, httpd; in front, Ctrl-C stops it'
	@echo 'make start       the same in the background; make stop ends it, make status shows it'
	@echo 'make test        every test that CI runs, against servers of its own; make test-full, soak, bench: longer ones'
	@echo 'make modules     only compile; BUILD=asan with sanitizers'
	@echo 'make install     modules, configuration and SQL into Debian'"'"'s apache2; make uninstall takes it back'
	@echo 'make clean       remove what was compiled; var/ keeps its data'
	@echo
	@echo 'make run HTTPS_PORT=9443 HTTP_PORT=9080    other ports: the first of each row'
	@echo 'make run TRESTLE_USER=NAME                 as root: the user who runs the servers (www-data)'
	@echo 'make run TRESTLE_VAR=/DIRECTORY            another place for data and secrets than var/'
	@echo 'make run HTTPS_ADDRESS=*                   HTTPS for other machines too; sample passwords are no secret'

# Packages come first: without them there is no apxs to compile with. Hence a make of its own for what is compiled.
run-products:
	@bin/trestle-packages run
	@$(MAKE) --silent --no-print-directory -j"$$(nproc)" BUILD=release modules tools

run start: run-products
	@bin/trestle $@

stop status:
	@bin/trestle $@

install: run-products
	@bin/trestle-install install

uninstall:
	@bin/trestle-install uninstall

clean:
	rm -rf var/build var/test

-include tests/tests.mk
