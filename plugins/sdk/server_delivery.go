package sdk

import (
	"context"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

type deliveryServer struct {
	pb.UnimplementedDeliveryServer
	*server
}

func (s deliveryServer) Deliver(ctx context.Context, r *pb.DeliverRequest) (*pb.DeliverResponse, error) {
	if s.plugin.deliver == nil {
		return nil, lacks(s.plugin, "Deliver")
	}
	defer s.calls.begin()()
	cfg, err := s.config(r.GetInstance())
	if err != nil {
		return nil, err
	}
	parcels := r.GetParcels()
	out := &pb.DeliverResponse{Receipts: make([]*pb.Receipt, len(parcels))}
	each(ctx, len(parcels), func(i int) {
		receipt, err := guard("deliver", func() (Receipt, error) { return s.plugin.deliver(ctx, cfg, parcelFrom(parcels[i])) })
		if err != nil {
			receipt = Unknown(receipt.ProviderRef, err.Error())
		}
		out.Receipts[i] = receipt.pb(parcels[i].GetId())
	}, func(i int) {
		out.Receipts[i] = Retry(0, ProviderProblem, "not begun: the call ran out of time").pb(parcels[i].GetId())
	})
	return out, nil
}

func (s deliveryServer) Track(ctx context.Context, r *pb.TrackRequest) (*pb.TrackResponse, error) {
	if s.plugin.track == nil {
		return nil, lacks(s.plugin, "Track")
	}
	defer s.calls.begin()()
	cfg, err := s.config(r.GetInstance())
	if err != nil {
		return nil, err
	}
	refs := r.GetParcels()
	out := &pb.TrackResponse{Standings: make([]*pb.Standing, len(refs))}
	unknown := func(i int, reason string) {
		out.Standings[i] = Standing{State: TrackStillUnknown, Reason: reason}.pb(refs[i].GetParcelId())
	}
	each(ctx, len(refs), func(i int) {
		standing, err := guard("track", func() (Standing, error) { return s.plugin.track(ctx, cfg, parcelRefFrom(refs[i])) })
		if err != nil {
			unknown(i, err.Error())
			return
		}
		out.Standings[i] = standing.pb(refs[i].GetParcelId())
	}, func(i int) { unknown(i, "not begun: the call ran out of time") })
	return out, nil
}
