package host

import (
	"slices"
	"strings"
)

// passedOn are the variables that a plugin may see of the host's environment, which also holds secrets: where programs
// are, zone and language, proxies, and trusted certificates.
var passedOn = []string{
	"PATH", "HOME", "TZ", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
}

func allowedEnv(all []string) []string {
	var out []string
	for _, pair := range all {
		if name, _, ok := strings.Cut(pair, "="); ok && slices.Contains(passedOn, name) {
			out = append(out, pair)
		}
	}
	return out
}
