# Few verbs: demo test check bench docs site interop. Each makes its own environment in .venv first.
PYTHON ?= python3
VENV := .venv
# Which of benchmarks/ `make bench` runs.
BENCH ?= fanout
BIN := $(VENV)/bin
# Much of a test is waiting. A file's tests stay together, and the short files come last.
PARALLEL := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder
# What the tests use beyond Python, by the name of its Debian package.
SYSTEM_PACKAGES := chromium coturn ffmpeg iproute2 redis-server xvfb
# Other WebRTC stacks that `make interop` meets; those of Debian where it is root or has them.
INTEROP := $(VENV)/interop
INTEROP_NODE_PACKAGES := @roamhq/wrtc@0.10.0 werift@0.25.2 ws@8.23.0
INTEROP_SYSTEM_PACKAGES := chromium coturn firefox-esr python3-gi gir1.2-gst-plugins-bad-1.0 \
	gstreamer1.0-nice gstreamer1.0-plugins-bad gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly
# What checks the page: types, form, accessibility, and the packages whose files it has, unchanged.
NODE := $(VENV)/node
NODE_PACKAGES := typescript@7.0.2 prettier@3.10.1 axe-core@4.14.1 preact@11.2.0 htm@3.1.1
WEB := server/roomcall_server/http/web
SCRIPTS := '$(WEB)/**/*.{js,ts,css,html}' 'tests/chromium/page/pure/*.js' '!**/vendor/*.js'
# Says no while a package wants to start a service that it brings (invoke-rc.d(8)).
POLICY := /usr/sbin/policy-rc.d

.PHONY: demo test check bench docs site interop page system clean

demo: $(VENV)/run.stamp
	@$(BIN)/roomcall demo $(ARGS)

test: $(VENV)/dev.stamp system
	$(BIN)/python -m pytest $(PARALLEL) $(SELECTION) $(ARGS)

check: $(VENV)/dev.stamp page site
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

ifneq ($(shell command -v npm),)
page: $(VENV)/node.stamp
	$(NODE)/node_modules/.bin/tsc --project tsconfig.json
	$(NODE)/node_modules/.bin/prettier --log-level warn --print-width 100 --check $(SCRIPTS)
	cmp $(NODE)/node_modules/preact/dist/preact.mjs $(WEB)/vendor/preact.mjs
	cmp $(NODE)/node_modules/htm/dist/htm.module.js $(WEB)/vendor/htm.module.js
else
page:
	@echo "make: left out: the page's types and form (Node.js with npm checks them)"
endif

bench: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks.$(BENCH) $(ARGS)

# Writes the table of docs/interop.md.
interop: $(VENV)/dev.stamp $(INTEROP)/node.stamp
	@test "$$(id -u)" != 0 || { $(call install,$(INTEROP_SYSTEM_PACKAGES)); }
	INTEROP_TABLE=docs/interop.md $(BIN)/python -m pytest tests/interop/matrix.py $(ARGS)

# Installs Debian packages where it is root; else it names the one that is missing. The services among
# them are not started, neither now nor with the machine: a test starts its own.
define install
	trap 'exit 1' INT TERM; \
	for package in $(1); do \
		dpkg -s $$package >/dev/null 2>&1 && continue; \
		test "$$(id -u)" = 0 || { echo "make: $$package is missing: install it, or run as root" >&2; exit 1; }; \
		test -n "$$updated" || { apt-get -qq update && updated=1; }; \
		test -e $(POLICY) || { trap 'rm -f $(POLICY)' EXIT; \
			printf '#!/bin/sh\nexit 101\n' >$(POLICY) && chmod +x $(POLICY); }; \
		DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $$package >/dev/null || exit 1; \
		test ! -e /etc/init.d/$$package || update-rc.d $$package disable; \
	done
endef

# The tables of docs/protocol.md, from the types of the messages.
docs: $(VENV)/dev.stamp
	$(BIN)/python -m docs.reference

# The site of the documentation, in build/site; a link or a name that leads nowhere fails it.
site: $(VENV)/dev.stamp
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# With CI or SYSTEM=1 the system parts are installed (as root) and their tests must run; without, they
# are left out also where the parts are there.
ifeq ($(or $(CI),$(SYSTEM)),)
SELECTION := -m "not system and not long"
endif
system:
ifneq ($(or $(CI),$(SYSTEM)),)
	@$(call install,$(SYSTEM_PACKAGES))
else
	@echo "make: left out: tests that take long, or need $(SYSTEM_PACKAGES) (SYSTEM=1 runs all)"
endif

# Setting up is no result of what is run: it goes to stderr.
$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "roomcall needs Python 3.11 or newer; try make PYTHON=python3.12")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || ( $(call install,python3-venv) )
	@echo "make: setting up $(VENV)" >&2
	@$(PYTHON) -m venv --clear $(VENV) >&2
	@touch $@

$(VENV)/run.stamp: pyproject.toml | $(VENV)/python.stamp
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e . >&2
	@touch $@

$(VENV)/dev.stamp: pyproject.toml | $(VENV)/python.stamp
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]' >&2
	@touch $@ $(VENV)/run.stamp

$(VENV)/node.stamp: Makefile | $(VENV)/python.stamp
	@mkdir -p $(NODE)
	@npm install --silent --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --prefix $(NODE) $(NODE_PACKAGES) >&2
	@touch $@

$(INTEROP)/node.stamp: Makefile | $(VENV)/python.stamp
	@mkdir -p $(INTEROP)
	@npm install --silent --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --prefix $(INTEROP) $(INTEROP_NODE_PACKAGES) >&2
	@touch $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
