package sandbox

import (
	"slices"
	"time"
)

// Preferential policies by the bureau's code (yhzcbs).
const (
	policyNone     = ""
	policySimple   = "01" // 简易征收
	policyExempt   = "03" // 免税
	policyNotTaxed = "04" // 不征税
	policySimple3  = "08" // 按3%简易征收
	policySimple5  = "09" // 按5%简易征收
	policyReduced5 = "10" // 按5%简易征收减按1.5%计征
)

// Refund policies do not change the rate of the invoice: 02 rare earth, 05-07 refund after levy, 11-18 refund on levy.
var refundPolicies = []string{"02", "05", "06", "07", "11", "12", "13", "14", "15", "16", "17", "18"}

// rateRule allows a rate to a kind of seller during some days, with some policies.
type rateRule struct {
	seller   string
	rate     string
	policies []string
	from     string // first day, empty: always
	until    string // last day, empty: no end known
}

// rateRules is data with dates: rates come and go by decree. General rates since 2019-04-01 (公告2019年39号), kept by
// the VAT law in force from 2026-01-01 (art. 10: 13, 9, 6, 0; art. 11: levy rate 3 %). Small-scale 1 % until 2027-12-31
// (公告2023年19号; again for 2026-2027 by 公告2026年10号). Reds never come here: they keep the rate of their blue.
var rateRules = []rateRule{
	{sellerGeneral, "0.13", append([]string{policyNone}, refundPolicies...), "2019-04-01", ""},
	{sellerGeneral, "0.09", append([]string{policyNone}, refundPolicies...), "2019-04-01", ""},
	{sellerGeneral, "0.06", append([]string{policyNone}, refundPolicies...), "", ""},
	{sellerGeneral, "0.00", []string{policyNone, policyExempt, policyNotTaxed}, "", ""},
	{sellerGeneral, "0.03", []string{policySimple, policySimple3}, "", ""},
	{sellerGeneral, "0.05", []string{policySimple, policySimple5}, "", ""},
	{sellerSmall, "0.03", []string{policyNone}, "", ""},
	{sellerSmall, "0.01", []string{policyNone}, "2023-01-01", "2027-12-31"},
	{sellerSmall, "0.05", []string{policyNone, policySimple5}, "", "2025-12-31"},
	{sellerSmall, "0.015", []string{policyReduced5}, "", "2025-12-31"},
	{sellerSmall, "0.015", []string{policyNone}, "2026-01-01", "2027-12-31"},
	{sellerSmall, "0.00", []string{policyExempt, policyNotTaxed}, "", ""},
}

// rateAllowed judges a blue line's rate. A seller with rates of its own is judged by them alone, save for the policies
// 03 and 04, which mean rate 0.
func rateAllowed(s *seller, r rate, policy string, now time.Time) bool {
	free := policy == policyExempt || policy == policyNotTaxed
	if free && !r.IsZero() {
		return false
	}
	if len(s.Rates) > 0 {
		return slices.ContainsFunc(s.Rates, func(own rate) bool { return own.Equal(r.Decimal) })
	}
	day := now.In(beijing).Format(time.DateOnly)
	return slices.ContainsFunc(rateRules, func(rule rateRule) bool {
		return rule.seller == s.Type && rule.rate == r.String() && slices.Contains(rule.policies, policy) &&
			rule.from <= day && (rule.until == "" || day <= rule.until)
	})
}
