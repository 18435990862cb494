package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
	"github.com/kaipiao/kaipiao/plugins/sdk/sdktest"
)

// Fixtures named N… are the nasty cases known from real shops.
func TestGenericFixtures(t *testing.T)     { sdktest.Run(t, newPlugin(), "generic/testdata") }
func TestWooCommerceFixtures(t *testing.T) { sdktest.Run(t, newPlugin(), "woocommerce/testdata") }

var arrival = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// Keys and secrets are constructed.
const (
	genericKey = "kaipiao-constructed-key-0001-32b"
	wooSecret  = "constructed woo secret"
)

var (
	genericShop = instance(`{"platform":"generic","generic":{}}`,
		"generic.secret", "whsec_"+base64.StdEncoding.EncodeToString([]byte(genericKey)))
	wooShop = instance(`{"platform":"woocommerce","woocommerce":{}}`, "woocommerce.secret", wooSecret)
)

func instance(config string, secrets ...string) *pb.Instance {
	in := &pb.Instance{Id: "shop-1", ConfigJson: []byte(config), Secrets: map[string]string{}}
	for i := 0; i < len(secrets); i += 2 {
		in.Secrets[secrets[i]] = secrets[i+1]
	}
	return in
}

// registrar takes the plugin's services as a gRPC server would.
type registrar struct {
	source   pb.SourceServer
	plugin   pb.PluginServer
	delivery pb.DeliveryServer
}

func (r *registrar) RegisterService(_ *grpc.ServiceDesc, service any) {
	switch s := service.(type) {
	case pb.SourceServer:
		r.source = s
	case pb.PluginServer:
		r.plugin = s
	case pb.DeliveryServer:
		r.delivery = s
	}
}

func services() *registrar {
	var r registrar
	newPlugin().Register(&r)
	return &r
}

func parseOne(t testing.TB, s *registrar, shop *pb.Instance, r *pb.Request) *pb.ParseResult {
	t.Helper()
	out, err := s.source.Parse(t.Context(), &pb.ParseRequest{Instance: shop, Requests: []*pb.Request{r}})
	if err != nil {
		t.Fatal(err)
	}
	return out.GetResults()[0]
}

func request(body string, headers ...string) *pb.Request {
	r := &pb.Request{Method: "POST", Path: "/hooks/shop", Body: []byte(body), ReceivedAt: timestamppb.New(arrival)}
	for i := 0; i < len(headers); i += 2 {
		r.Headers = append(r.Headers, &pb.Header{Name: headers[i], Value: headers[i+1]})
	}
	return r
}

// fromGeneric is a request as a shop of the generic contract signs it.
func fromGeneric(id string, at time.Time, body string) *pb.Request {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	return request(body, "webhook-id", id, "webhook-timestamp", timestamp,
		"webhook-signature", "v1,"+mac(genericKey, id+"."+timestamp+"."+body))
}

func fromWoo(body string) *pb.Request {
	return request(body, "X-WC-Webhook-Topic", "order.updated", "X-WC-Webhook-Signature", mac(wooSecret, body))
}

func mac(key, message string) string {
	h := hmac.New(sha256.New, []byte(key))
	fmt.Fprint(h, message)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}
