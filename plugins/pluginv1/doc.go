// Package pluginv1 is the generated Go of plugins/proto: the contract between the host and its plugins, major version 1.
// Run "buf generate" in plugins/proto after a change.
package pluginv1
