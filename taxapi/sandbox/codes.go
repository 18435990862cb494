package sandbox

import "fmt"

// code is a business answer of the gm channel (docs/gm-channel.md section 4).
type code string

const (
	codeDone              code = "0000"
	codeField             code = "1001" // a field is missing or malformed; the message names it
	codeAmounts           code = "1101" // amounts do not add up
	codeRate              code = "1102" // rate not allowed for code, seller or date
	codeBuyer             code = "1103" // buyer's name or tax number refused
	codeClassification    code = "1104" // classification code or short name unknown
	codeDiscount          code = "1105" // discount lines out of order
	codeApplication       code = "2001" // application unknown or without right
	codeSignature         code = "2002" // signature wrong
	codeTimestamp         code = "2003" // timestamp outside the window
	codeNonce             code = "2004" // nonce seen before
	codeSeller            code = "2005" // seller not registered for this application
	codeLogin             code = "2006" // a person must log in at the bureau
	codeBusy              code = "3001" // nothing was taken
	codeSystemTimeout     code = "3002" // the outcome is not known
	codeDuplicate         code = "4001" // serial known, same content
	codeConflict          code = "4002" // serial or application known, other content
	codeNotFound          code = "4004"
	codeQuota             code = "5001" // monthly quota used up: nothing was taken
	codeBlue              code = "6001" // blue invoice not found or not red-flushable
	codeOverRed           code = "6002" // more than what remains of the blue invoice
	codeConfirmationState code = "6003" // confirmation not in the right state
	codeReason            code = "6004" // reason does not allow this red
	codeRedOfRed          code = "6005" // a red invoice can't be flushed
	codeDiffersFromBlue   code = "6006" // red differs from its blue (rate, code, name)
	codeVoid              code = "7001" // a digital invoice can't be voided
)

// answer is the decrypted JSON of every reply.
type answer struct {
	Code    code   `json:"code"`
	Message string `json:"message"`
	Result  any    `json:"result"`
}

// refusal is a business "no". Its message is for the merchant, in Chinese, and names fields by their JSON path.
type refusal struct {
	code    code
	message string
	result  any // what is already known, for a duplicate
}

func (r *refusal) Error() string { return string(r.code) + " " + r.message }

func refuse(c code, format string, args ...any) *refusal {
	return &refusal{code: c, message: fmt.Sprintf(format, args...)}
}
