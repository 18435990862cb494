// Package core is the trade: what a sale, a refund, an invoice and a red invoice are, and the arithmetic and
// state machines that bind them. It knows no file, socket, clock or database; time and ids come in as
// arguments, and the ports at the end of the package say what the outside must provide.
package core
