package host

import (
	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// Instance is one configured use of a plugin, such as one shop.
type Instance struct {
	// Plugin is its name in the lock file.
	Plugin string
	ID     string
	// Revision changes whenever Config or Secrets do.
	Revision string
	Config   []byte            // JSON without the secrets
	Secrets  map[string]string // by dotted path
}

func (in Instance) wire() *pb.Instance {
	return &pb.Instance{Id: in.ID, Revision: in.Revision, ConfigJson: in.Config, Secrets: in.Secrets}
}
