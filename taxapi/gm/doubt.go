package gm

// doubt is why an exchange proves nothing. The zero value is a whole, signed answer.
type doubt string

const (
	whole doubt = ""
	// doubtUnreached: no byte left this host. It is the only one that proves something: nothing was taken.
	doubtUnreached doubt = "the gateway was not reached; nothing was sent"
	doubtTimeout   doubt = "no answer came in time"
	doubtCut       doubt = "the connection broke"
	doubtStatus    doubt = "the gateway's HTTP status is not 200"
	doubtTooLong   doubt = "the answer is too long"
	doubtNonce     doubt = "the answer belongs to another request"
	doubtSignature doubt = "the answer's signature is wrong"
	doubtSealed    doubt = "the answer can't be decrypted"
	doubtShape     doubt = "the answer is malformed"
	doubtForeign   doubt = "the answer is about something else than what was asked"
)
