// Package mapping finds the classification code (商品和服务税收分类编码), short name and dated rate of what a store
// sells: the seller's rules first (SKU, barcode, category, text, then a default for the kind of line), then a person.
//
// Nothing is guessed onto an invoice. A code is printed only when a confirmed rule, or the shop itself, names it and
// the guard finds it to be a leaf that is valid on the day, with a rate that the seller may use. Everything else is
// answered with up to five candidates, each with its reason in words, and a person's answer becomes a rule.
package mapping
