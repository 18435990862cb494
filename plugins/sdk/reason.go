package sdk

import (
	"errors"
	"fmt"
)

// Reason is why a request was not accepted, as a code that alarms and tests can branch on.
type Reason string

// Reasons that the SDK itself gives or that most sources need. A plugin may add its own in the same form.
const (
	BadSignature     Reason = "bad_signature"
	MissingSignature Reason = "missing_signature"
	StaleTimestamp   Reason = "stale_timestamp"
	BadCiphertext    Reason = "bad_ciphertext"

	BadJSON          Reason = "bad_json"
	BadUTF8          Reason = "bad_utf8"
	ControlCharacter Reason = "control_character"
	DuplicateKey     Reason = "duplicate_key"
	ShadowedKey      Reason = "case_shadowed_key"
	TooDeep          Reason = "too_deep"
	BadNumber        Reason = "bad_number"
	BadTime          Reason = "bad_time"
	MissingField     Reason = "missing_field"
	BadField         Reason = "bad_field"

	UnknownTopic Reason = "unknown_topic"
	NotOurs      Reason = "not_ours"
	Ping         Reason = "ping"

	// PluginPanic, PluginError and BadConfig mean that there is no verdict: the request is to be sent again.
	PluginPanic Reason = "plugin_panic"
	PluginError Reason = "plugin_error"
	BadConfig   Reason = "bad_config"
)

// Fault is a fault in what a platform sent. Its text names the place and never the value, which may be personal.
type Fault struct {
	Reason Reason
	// Path is where the fault is, such as "lines[2].paid".
	Path string
	// Detail is a clause without personal data.
	Detail string
}

func (f *Fault) Error() string {
	switch {
	case f.Path == "":
		return fmt.Sprintf("%s: %s", f.Reason, f.Detail)
	case f.Detail == "":
		return fmt.Sprintf("%s at %s", f.Reason, f.Path)
	}
	return fmt.Sprintf("%s at %s: %s", f.Reason, f.Path, f.Detail)
}

// reasonOf gives an error's code, and its text when the text is known to be free of personal data.
func reasonOf(err error) (Reason, string) {
	var f *Fault
	if errors.As(err, &f) {
		return f.Reason, f.Error()
	}
	return BadField, "the plugin gave no reason code for this fault"
}
