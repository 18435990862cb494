// Command shop connects online shops: it verifies and decodes what they push, reads orders and refunds where the platform
// has an interface, and writes finished invoices to the order's page. Each platform is a folder of its own.
//
// Run by hand, "shop schema" prints the JSON Schema of the generic platform's events.
package main

import (
	"fmt"
	"os"

	"github.com/kaipiao/kaipiao/plugins/sdk"
	"github.com/kaipiao/kaipiao/plugins/shop/generic"
)

const version = "1.0.0"

func main() {
	if len(os.Args) == 2 && os.Args[1] == "schema" {
		fmt.Printf("%s", generic.Schema())
		return
	}
	newPlugin().Serve()
}

func newPlugin() *sdk.Plugin {
	return sdk.New("shop", version,
		sdk.Webhook(parse), sdk.Fetcher(fetch), sdk.Puller(pull),
		sdk.Deliverer(deliver, sdk.ByOrder), sdk.Tracker(track), sdk.Validator(validate))
}
