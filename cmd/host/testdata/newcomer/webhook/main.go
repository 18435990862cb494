// Command acme-shop takes the webhooks of the shop Acme in.
package main

import "github.com/kaipiao/kaipiao/plugins/sdk"

const version = "0.1.0"

type config struct {
	Secret  string `json:"secret" secret:"true" doc:"signing secret from Acme's console"`
	TaxCode string `json:"tax_code" doc:"classification code of all that this shop sells"`
}

func main() { sdk.Serve("acme-shop", version, parts()...) }

func parts() []sdk.Part { return []sdk.Part{sdk.Webhook(parse)} }
