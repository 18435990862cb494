# Kaipiao. Two commands do everything on a fresh machine with Go: make run, make test.

export CGO_ENABLED ?= 0
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
PLUGINS  = shop pos delivery-email delivery-sms
LDFLAGS  = -s -w -X main.version=$(VERSION)

.PHONY: help run demo test build lint bench generate fuzz battery clean

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## build, then serve with the sandbox bureau, a demo shop, two tills and a mailbox in ./data
	@bin/kaipiao demo --dir data

demo: build ## the same on free ports and a scratch folder; ends after the table, 0 if every row ended as it should
	@bin/kaipiao demo --once

build: ## build the host and its plugins into ./bin
	@echo "building bin/kaipiao and $(words $(PLUGINS)) plugins (the first build takes some minutes)"
	@mkdir -p bin/plugins
	@chmod go-w bin bin/plugins
	@go build -ldflags '$(LDFLAGS)' -o bin/kaipiao ./cmd/host
	@umask 022; go build -ldflags '$(LDFLAGS)' -o bin/plugins/ $(PLUGINS:%=./plugins/%)

test: ## all tests that need nothing but Go; what a missing tool leaves out is printed
	@go test ./...

lint: ## formatting, vet, staticcheck, and that go.mod is tidy
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	@go vet ./... && go vet -tags battery ./...
	@go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	@go mod tidy -diff

bench: build ## figures with a disk-sync probe beside each durable one
	@go run ./internal/bench/cmd -bin bin

generate: ## the plugin contract's Go code (needs buf 1.75.0 and the two generators on PATH)
	@cd plugins/proto && buf lint && buf generate

FUZZTIME ?= 30s
fuzz: ## every fuzz target for FUZZTIME
	@for p in $$(go list ./...); do for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do \
		echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done

battery: build ## the kill harness and the seeded bugs, long run (needs strace)
	@go run ./internal/battery/cmd

clean: ## remove what was built; ./data stays
	@rm -rf bin
