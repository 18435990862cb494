// Package host runs plugins: it starts only binaries that the lock file names by hash, watches and restarts them, and
// carries calls to them with deadlines.
//
// go-plugin starts, connects and kills; supervision is done here. One goroutine owns each plugin and its process.
// Everything else sees the live process behind one pointer. Nothing that a plugin does (freeze, crash, flood, fork)
// may hold the host up: every wait has a deadline and a stop always begins with SIGKILL to the process group.
package host
