package sandbox

// redQueryRequest is the JSON of `red_query`: by application or by uuid.
type redQueryRequest struct {
	unexamined
	Application string `json:"application"`
	UUID        string `json:"uuid"`
}

func (r *redQueryRequest) traits() traits { return traits{serial: firstOf(r.Application, r.UUID)} }

func (r *redQueryRequest) run(c *call, t *tx) (any, error) {
	if r.UUID != "" {
		conf, err := c.findConfirmation(t, r.UUID)
		if err != nil {
			return nil, err
		}
		return conf.queried(c.now), nil
	}
	if r.Application == "" {
		return nil, refuse(codeField, "application：申请单号和uuid不能同时为空")
	}
	conf, err := t.confirmation(c.now, `WHERE app = ? AND application = ? ORDER BY id`, c.app.ID, r.Application)
	if err != nil {
		return nil, err
	}
	if conf == nil {
		return nil, refuse(codeNotFound, "未查询到该确认单")
	}
	return conf.queried(c.now), nil
}

// findConfirmation finds one that the application may see: its own, or one a buyer entered for a seller of its own.
func (c *call) findConfirmation(t *tx, uuid string) (*confirmation, error) {
	conf, err := t.confirmation(c.now, `WHERE uuid = ?`, uuid)
	if err != nil {
		return nil, err
	}
	if conf != nil {
		if s := c.bureau.registry.seller(conf.SellerTaxNo); s != nil && s.allows(c.app.ID) {
			return conf, nil
		}
	}
	return nil, refuse(codeNotFound, "未查询到该确认单")
}

// redWithdrawRequest is the JSON of `red_withdraw`: the seller takes back what it entered.
type redWithdrawRequest struct {
	unexamined
	UUID string `json:"uuid"`
}

func (r *redWithdrawRequest) traits() traits { return traits{serial: r.UUID} }

func (r *redWithdrawRequest) run(c *call, t *tx) (any, error) {
	return c.sellerActs(t, r.UUID, actWithdraw)
}

// redAnswerRequest is the JSON of `red_answer`: the seller agrees to or refuses what the buyer entered.
type redAnswerRequest struct {
	unexamined
	UUID   string `json:"uuid"`
	Answer string `json:"answer"`
}

func (r *redAnswerRequest) traits() traits { return traits{serial: r.UUID} }

func (r *redAnswerRequest) run(c *call, t *tx) (any, error) {
	switch r.Answer {
	case "Y":
		return c.sellerActs(t, r.UUID, actAgree)
	case "N":
		return c.sellerActs(t, r.UUID, actRefuse)
	}
	return nil, refuse(codeField, "answer：应为Y或N")
}

// sellerActs lets the seller withdraw only its own entries and answer only the buyer's.
func (c *call) sellerActs(t *tx, uuid string, a act) (any, error) {
	conf, err := c.findConfirmation(t, uuid)
	if err != nil {
		return nil, err
	}
	if _, refused := actingSeller(c.bureau.registry, c.app, conf.SellerTaxNo); refused != nil {
		return nil, refused
	}
	if buyerEntered := conf.Application == ""; buyerEntered == (a == actWithdraw) {
		return nil, refuse(codeConfirmationState, "此操作应由对方进行")
	}
	if err := conf.apply(a); err != nil {
		return nil, err
	}
	return conf.queried(c.now), t.putConfirmation(conf)
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
