// Package house holds the tests of the house itself: who may import whom, and that what the documents name exists.
package house
