package pluginv1

// What the host and a plugin agree on beside the messages; docs/plugin-wire.md explains each.
const (
	// Major is the contract's major version: the last part of the proto package and the version in the handshake.
	Major = 1

	// CookieKey and CookieValue are set in the plugin's environment by the host, so that a plugin started by hand can
	// say what it is. They never change and keep nothing secret.
	CookieKey   = "KAIPIAO_PLUGIN_COOKIE"
	CookieValue = "6f1c2a9e54b84d0fb7a3d2c85e917046"

	// ParentFDKey names the descriptor of a pipe whose other end the host holds: end of file means that the host is gone.
	ParentFDKey = "KAIPIAO_PARENT_FD"

	// SocketDirKey names the private directory in which the plugin makes its Unix socket.
	SocketDirKey = "PLUGIN_UNIX_SOCKET_DIR"

	// MaxMessageBytes caps a message in either direction.
	MaxMessageBytes = 16 << 20
)
