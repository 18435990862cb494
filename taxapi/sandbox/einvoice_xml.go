package sandbox

import (
	"encoding/xml"
	"fmt"
	"time"
)

type xmlLabel struct {
	Type string `xml:"LabelType,omitempty"`
	Code string `xml:"LabelCode"`
	Name string `xml:"LabelName"`
}

// xmlInvoice is the 全面数字化的电子发票 of 财政部 电子凭证会计数据标准 (试行版, 2023), version 0.32.
type xmlInvoice struct {
	XMLName xml.Name `xml:"EInvoice"`
	Header  struct {
		EIid          string
		EInvoiceTag   string
		Version       string
		InherentLabel struct {
			InIssuType, EInvoiceType, GeneralOrSpecialVAT, TaxpayerType xmlLabel
		}
		UndefinedLabel struct{ Label []xmlLabel }
	}
	Data struct {
		Seller    xmlSeller `xml:"SellerInformation"`
		Buyer     xmlBuyer  `xml:"BuyerInformation"`
		Basic     xmlBasic  `xml:"BasicInformation"`
		Items     []xmlItem `xml:"IssuItemInformation"`
		Specifics struct {
			Red *xmlRed `xml:"RedEInvoice,omitempty"`
		} `xml:"SpecificInformation"`
		Additional struct {
			Remark string `xml:",omitempty"`
		} `xml:"AdditionalInformation"`
	} `xml:"EInvoiceData"`
	SellerAuthentication struct{ AuthenticationMethods string }
	TaxSupervisionInfo   struct{ InvoiceNumber, IssueTime, TaxBureauCode, TaxBureauName string }
	Signature            struct {
		Reference struct {
			URI string `xml:",attr"`
		}
		SignatureAlgorithm, SignatureFormat, SignatureTime, SignatureValue, KeyInfo string
	} `xml:"TaxBureauSignature"`
}

type xmlSeller struct {
	SellerIdNum, SellerName, SellerAddr, SellerTelNum, SellerBankName, SellerBankAccNum string
}

type xmlBuyer struct {
	BuyerIdNum, BuyerName                                  string
	BuyerAddr, BuyerTelNum, BuyerBankName, BuyerBankAccNum string `xml:",omitempty"`
}

type xmlBasic struct {
	Net         string `xml:"TotalAmWithoutTax"`
	Tax         string `xml:"TotalTaxAm"`
	Gross       string `xml:"TotalTax-includedAmount"`
	InWords     string `xml:"TotalTax-includedAmountInChinese"`
	Drawer      string
	RequestTime string
}

type xmlItem struct {
	ItemName              string
	SpecMod               string `xml:",omitempty"`
	MeaUnits              string `xml:",omitempty"`
	Quantity              string `xml:",omitempty"`
	UnPrice               string `xml:",omitempty"`
	Amount                string
	TaxRate               string
	ComTaxAm              string
	Gross                 string `xml:"TotaltaxIncludedAmount"` // the standard's own lower-case t
	TaxClassificationCode string
}

type xmlRed struct {
	BlueNumber     string `xml:"OriginalInvoiceCode"`
	ConfirmationNo string `xml:"CreditNoteNumber"`
}

// renderXML writes the legal data carrier, with a signature that can't be taken for the bureau's.
func renderXML(i *invoice) ([]byte, error) {
	var x xmlInvoice
	x.fillHeader(i)
	d := &x.Data
	d.Seller = xmlSeller{i.Seller.TaxNo, i.Seller.Name, i.Seller.Address, i.Seller.Phone, i.Seller.Bank, i.Seller.Account}
	d.Buyer = xmlBuyer{BuyerIdNum: i.Buyer.TaxNo, BuyerName: i.Buyer.Name, BuyerAddr: i.Buyer.Address,
		BuyerTelNum: i.Buyer.Phone, BuyerBankName: i.Buyer.Bank, BuyerBankAccNum: i.Buyer.Account}
	d.Basic = xmlBasic{i.Net.String(), i.Tax.String(), i.Gross.String(), amountInWords(i.Gross), i.Drawer,
		i.TakenAt.In(beijing).Format(time.DateTime)}
	for _, l := range i.Lines {
		d.Items = append(d.Items, xmlItem{"*" + l.ShortName + "*" + l.Name, l.Spec, l.Unit, l.Quantity.String(),
			l.Price.String(), l.Net.String(), l.Rate.String(), l.Tax.String(), l.Gross.String(), l.Code})
	}
	if i.Color == red {
		d.Specifics.Red = &xmlRed{i.BlueNumber, i.ConfirmationNo}
	}
	d.Additional.Remark = i.Remark
	x.SellerAuthentication.AuthenticationMethods = "01"
	s := &x.TaxSupervisionInfo
	s.InvoiceNumber, s.IssueTime = i.Number, i.IssuedAt.In(beijing).Format(time.DateOnly)
	s.TaxBureauCode, s.TaxBureauName = "10000000000", "国家税务总局沙箱税务局"
	g := &x.Signature
	g.Reference.URI = "/Einvoice/Header|/Einvoice/EinvoiceData|/Einvoice/SellerAuthentication|" +
		"/Einvoice/TaxSupervisionInfo|/Einvoice/TaxBureauSignature/SignatureTime"
	g.SignatureAlgorithm, g.SignatureFormat = "1.2.156.10197.1.501", "DETACH"
	g.SignatureTime, g.SignatureValue = i.IssuedAt.In(beijing).Format(time.DateTime), "SANDBOX"
	text, err := xml.MarshalIndent(x, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the XML: %w", err)
	}
	return append([]byte(xml.Header), append(text, '\n')...), nil
}

func (x *xmlInvoice) fillHeader(i *invoice) {
	h := &x.Header
	h.EIid, h.EInvoiceTag, h.Version = i.Number, "SWEI0000", "0.32"
	h.InherentLabel.InIssuType = xmlLabel{Code: "Y", Name: "是否蓝字发票标志"}
	if i.Color == red {
		h.InherentLabel.InIssuType.Code = "N"
	}
	h.InherentLabel.EInvoiceType = xmlLabel{Code: "01", Name: "电子发票"}
	h.InherentLabel.GeneralOrSpecialVAT = xmlLabel{Code: string(i.Kind), Name: "普通发票"}
	if i.Kind == kindSpecial {
		h.InherentLabel.GeneralOrSpecialVAT.Name = "增值税专用发票"
	}
	h.InherentLabel.TaxpayerType = xmlLabel{Code: "1", Name: "一般纳税人"}
	if i.SellerType == sellerSmall {
		h.InherentLabel.TaxpayerType = xmlLabel{Code: "2", Name: "小规模纳税人"}
	}
	h.UndefinedLabel.Label = []xmlLabel{{Type: "沙箱标签", Code: "SANDBOX", Name: "沙箱样票，不得作为凭证"}}
}
