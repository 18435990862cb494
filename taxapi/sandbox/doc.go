// Package sandbox is a tax bureau in a box: it speaks the gm channel (docs/gm-channel.md) as a server, keeps its own
// ledger in its own file, and can be told over a control API to be slow, to forget to answer or to lie.
//
// It exists to judge the client, so it shares no code, signer, codec or state with it. Everything it makes is marked
// 沙箱: numbers lie in the impossible area 00 and signatures read SANDBOX.
package sandbox
