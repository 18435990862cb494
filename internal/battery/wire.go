package battery

import "fmt"

// Exchange is one line of the bureau's wire log.
type Exchange struct {
	ID    int64  `json:"id"`
	Op    string `json:"op"`
	Ref   string `json:"ref"`
	Code  string `json:"code"`
	Fault string `json:"fault"`
	Done  bool   `json:"done"`
}

// questions names, for each sending operation, the one that asks what became of it.
var questions = map[string]string{"issue": "query", "red_issue": "query", "red_apply": "red_query"}

// notTaken are the bureau's answers after which the same may be sent again at once: nothing was taken.
var notTaken = map[string]bool{"3001": true, "5001": true, "2001": true, "2002": true, "2003": true, "2005": true, "2006": true}

const notFound = "4004"

// wireRule watches promise 5 from the bureau's side: a send is repeated under its serial only if the one before was
// certainly not taken, or if the bureau was asked since and said twice that it knows nothing.
type wireRule struct {
	last   map[string]string // op and ref → code of the last send
	denied map[string]int    // op and ref → "not found" since
	sends  int
	asks   int
}

func newWireRule() *wireRule { return &wireRule{last: map[string]string{}, denied: map[string]int{}} }

// see takes the log in its order and returns what broke the rule.
func (w *wireRule) see(log []Exchange) (wrong []string) {
	for _, x := range log {
		for send, ask := range questions {
			key := send + " " + x.Ref
			switch x.Op {
			case send:
				w.sends++
				if before, again := w.last[key]; again && !notTaken[before] && w.denied[key] < 2 {
					wrong = append(wrong, fmt.Sprintf("%s %s was sent again (exchange %d) although the send before ended %q and was denied %d times since",
						send, x.Ref, x.ID, before, w.denied[key]))
				}
				w.last[key], w.denied[key] = x.Code, 0
			case ask:
				if _, sent := w.last[key]; sent && x.Code == notFound {
					w.denied[key]++
				}
			}
		}
		if x.Op == "query" || x.Op == "red_query" {
			w.asks++
		}
	}
	return wrong
}
