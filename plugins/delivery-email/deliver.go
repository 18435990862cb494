package main

import (
	"context"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// deliver sends one parcel over a connection of its own. Until the end of DATA every fault means "not sent".
func (m mailer) deliver(ctx context.Context, c config, p sdk.Parcel) (sdk.Receipt, error) {
	if fault := c.fault(); fault != "" {
		return sdk.Retry(growing(loginWait, p.Attempt), sdk.CredentialsProblem, "not sent: the configuration cannot be used: "+fault), nil
	}
	if !isAddress(p.Recipient.Email) {
		return sdk.Rejected(sdk.RecipientProblem, "the address is not a plain e-mail address"), nil
	}
	l, fault := newLetter(c, p)
	if fault != "" {
		return sdk.Rejected(sdk.ContentProblem, fault), nil
	}
	files, tooBig, fault := readFiles(p.Invoice, maxMessage)
	if fault != "" {
		return sdk.Retry(growing(busyWait, p.Attempt), sdk.OtherProblem, "not sent: "+fault), nil
	}
	if tooBig && l.URL == "" {
		return sdk.Rejected(sdk.ContentProblem, "the files are too big for a message, and there is no page to point to"), nil
	}
	l.LeftOut = tooBig

	ctx, cancel := context.WithTimeout(ctx, time.Duration(c.Timeout))
	defer cancel()
	s, err := m.open(ctx, c)
	if err != nil {
		return notOpened(err, p.Attempt), nil
	}
	defer s.hangUp()
	msg, fits, err := composeWithin(s.maxSize(maxMessage), c, l, files, p.Recipient.Email, p.ID, m.now())
	if err != nil {
		return sdk.Retry(growing(busyWait, p.Attempt), sdk.OtherProblem, "not sent: the message cannot be composed"), nil
	}
	if !fits {
		s.quit()
		return sdk.Rejected(sdk.ContentProblem, "the message is too big for the server, and there is no page to point to"), nil
	}
	err = s.client.SendWithSMTPClient(s.smtp, msg)
	if err == nil {
		s.quit()
	}
	return judge(msg, err, messageID(p.ID, c.From), p.Attempt), nil
}

// validate reports what is wrong with the configuration, and with probe set logs in and says NOOP.
func (m mailer) validate(ctx context.Context, c config, probe bool) []sdk.Problem {
	problems := c.problems
	if !probe || c.fault() != "" {
		return problems
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(c.Timeout))
	defer cancel()
	s, err := m.open(ctx, c)
	if err == nil {
		if err = s.smtp.Noop(); err != nil {
			err = &stageError{stageNoop, err}
		}
		s.quit()
	}
	if err == nil {
		return problems
	}
	pointer := "/host"
	if refusedLogin(err) {
		pointer = "/password"
	}
	return append(problems, sdk.Problem{Pointer: pointer, Message: "the server cannot be used: " + why(err)})
}
