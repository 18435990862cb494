// Package gm is the client of the gm channel (docs/gm-channel.md): HTTPS, an application id, an SM4-encrypted body, a
// timestamp, a nonce and a signature.
//
// It never claims more than it knows. A request of which no byte has left this host was not taken; a signed, whole
// answer means what the code table says; everything else is unsure, and the caller has to query.
package gm
