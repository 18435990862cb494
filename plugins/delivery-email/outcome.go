package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/textproto"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// Waits before the next attempt. A greylisting server wants some minutes; a mailbox that is full or a login that is
// refused takes a person hours.
const (
	busyWait    = 5 * time.Minute
	networkWait = time.Minute
	loginWait   = 15 * time.Minute
	longestWait = 12 * time.Hour
)

// growing triples a wait with each attempt.
func growing(first time.Duration, attempt int) time.Duration {
	wait := first
	for i := 1; i < attempt && wait < longestWait; i++ {
		wait *= 3
	}
	return min(wait, longestWait)
}

// notOpened is the receipt for a session that never came to send: nothing left this host.
func notOpened(err error, attempt int) sdk.Receipt {
	class, wait := sdk.ProviderProblem, growing(networkWait, attempt)
	if refusedLogin(err) {
		class, wait = sdk.CredentialsProblem, growing(loginWait, attempt)
	}
	return sdk.Retry(wait, class, "not sent: "+why(err))
}

func refusedLogin(err error) bool {
	var at *stageError
	if !errors.As(err, &at) || at.at != stageLogin {
		return false
	}
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return reply.Code >= 500
	}
	return errors.Is(err, errNoMechanism) || errors.Is(err, smtp.ErrUnencrypted)
}

// judge turns what go-mail says about a message into a receipt. A message that the server took is sent, whatever
// happened to the connection afterwards.
func judge(m *mail.Msg, err error, ref string, attempt int) sdk.Receipt {
	if m.IsDelivered() || err == nil {
		return sdk.Sent(ref)
	}
	var failed *mail.SendError
	if !errors.As(err, &failed) {
		return sdk.Unknown(ref, "the mail library gave no reason")
	}
	code, enhanced := failed.ErrorCode(), enhancedCode(failed)
	switch {
	case code >= 500:
		return refused(failed.Reason, code, enhanced, attempt)
	case code >= 400:
		return sdk.Retry(growing(busyWait, attempt), sdk.ProviderProblem, "not sent: "+reply(failed.Reason, code, enhanced))
	case failed.Reason == mail.ErrSMTPDataClose:
		return sdk.Unknown(ref, "the message was written, but no answer came")
	}
	// The line that ends a message is written last, so the server has at most a part, which it must discard.
	return sdk.Retry(growing(networkWait, attempt), sdk.ProviderProblem, "not sent: the connection failed "+place(failed.Reason))
}

// refused judges a permanent refusal by where it came and by its enhanced code (RFC 3463).
func refused(at mail.SendErrReason, code int, enhanced string, attempt int) sdk.Receipt {
	reason := reply(at, code, enhanced)
	policy := strings.HasPrefix(enhanced, "5.7.")
	switch {
	case strings.HasPrefix(enhanced, "5.3.4") || strings.HasPrefix(enhanced, "5.2.3"):
		return sdk.Rejected(sdk.ContentProblem, "the message is too big: "+reason)
	case at == mail.ErrSMTPMailFrom && code == 552:
		return sdk.Rejected(sdk.ContentProblem, "the message is too big: "+reason)
	case at == mail.ErrSMTPMailFrom, at == mail.ErrSMTPRcptTo && (code == 530 || policy):
		// The sender is refused, not this buyer: others will fare the same until someone mends it.
		return sdk.Retry(growing(loginWait, attempt), sdk.CredentialsProblem, "the server does not let this sender send: "+reason)
	case at == mail.ErrSMTPRcptTo, strings.HasPrefix(enhanced, "5.1.") || strings.HasPrefix(enhanced, "5.2."):
		return sdk.Rejected(sdk.RecipientProblem, "the address is refused: "+reason)
	}
	return sdk.Rejected(sdk.ContentProblem, "the message is refused: "+reason)
}

var enhancedForm = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}$`)

func enhancedCode(e *mail.SendError) string {
	if code := e.EnhancedStatusCode(); enhancedForm.MatchString(code) {
		return code
	}
	return ""
}

// reply names a server's answer by its codes only: the text of an answer often quotes the buyer's address.
func reply(at mail.SendErrReason, code int, enhanced string) string {
	return strings.TrimSpace("SMTP "+strconv.Itoa(code)+" "+enhanced) + " " + place(at)
}

func place(at mail.SendErrReason) string {
	switch at {
	case mail.ErrSMTPMailFrom:
		return "at MAIL"
	case mail.ErrSMTPRcptTo:
		return "at RCPT"
	case mail.ErrSMTPData:
		return "at DATA"
	case mail.ErrWriteContent:
		return "within DATA"
	case mail.ErrSMTPDataClose:
		return "after DATA"
	}
	return "before MAIL"
}

// why describes a failed connection without quoting the server or an address.
func why(err error) string {
	var at *stageError
	prefix := ""
	if errors.As(err, &at) {
		prefix = string(at.at) + ": "
	}
	var answer *textproto.Error
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case errors.As(err, &answer):
		return prefix + "the server answers " + strconv.Itoa(answer.Code)
	case errors.Is(err, errNoSTARTTLS), errors.Is(err, errNoMechanism):
		return prefix + at.err.Error()
	case errors.Is(err, smtp.ErrUnencrypted):
		return prefix + "a password is not sent without TLS"
	case errors.As(err, &certificate):
		return prefix + "the server's certificate is not valid for it"
	case errors.As(err, &dns):
		return prefix + "the host name is not found"
	case errors.Is(err, syscall.ECONNREFUSED):
		return prefix + "connection refused"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, os.ErrDeadlineExceeded):
		return prefix + "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, syscall.ECONNRESET):
		return prefix + "the connection was lost"
	}
	return prefix + "the connection failed"
}
