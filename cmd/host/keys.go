package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kaipiao/kaipiao/internal/config"
	"github.com/kaipiao/kaipiao/internal/storage"
	"github.com/kaipiao/kaipiao/internal/storage/sqlite"
	"github.com/kaipiao/kaipiao/internal/vault"
)

// keyStore keeps a vault's data keys in the database.
type keyStore struct{ db *sqlite.DB }

func (k keyStore) LoadDEKs(ctx context.Context) ([]vault.WrappedDEK, error) {
	var out []vault.WrappedDEK
	err := k.db.Read(ctx, func(q storage.Querier) error {
		keys, err := storage.LoadDEKs(q)
		for _, d := range keys {
			out = append(out, vault.WrappedDEK(d))
		}
		return err
	})
	return out, err
}

func (k keyStore) AddDEK(ctx context.Context, d vault.WrappedDEK) (stored vault.WrappedDEK, err error) {
	err = k.db.Write(ctx, "key.add", func(tx sqlite.Tx) error {
		row, err := storage.AddDEK(tx, storage.DEK(d))
		stored = vault.WrappedDEK(row)
		return err
	})
	return stored, err
}

func (k keyStore) ReplaceDEKs(ctx context.Context, keys []vault.WrappedDEK) error {
	rows := make([]storage.DEK, len(keys))
	for i, d := range keys {
		rows[i] = storage.DEK(d)
	}
	return k.db.Write(ctx, "key.replace", func(tx sqlite.Tx) error { return storage.ReplaceDEKs(tx, rows) })
}

func (a *app) keysCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: a.text("密钥: 生成与轮换", "keys: make and rotate")}
	rotate := &cobra.Command{Use: "rotate NEW-KEY-FILE", Short: a.text("用新主密钥重新加密全部数据密钥 (主机须停止)", "encrypt all data keys by a new key file (the host must be stopped)"),
		Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			return a.rotateKey(cmd.Context(), args[0])
		}}
	create := &cobra.Command{Use: "create KEY-FILE", Short: a.text("生成主密钥文件", "make a key file"), Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		if a.dry {
			a.say("试运行: 将生成主密钥 %s", "dry run: key file %s would be made", args[0])
			return nil
		}
		kek, err := vault.CreateKEK(args[0], a.dataFolder())
		if err != nil {
			return err
		}
		a.say("已生成主密钥 %s (指纹 %s), 请另行备份", "made key file %s (fingerprint %s); keep a copy of it apart", args[0], kek.ID())
		return nil
	}}
	cmd.AddCommand(create, rotate)
	return cmd
}

// dataFolder is where no key may lie: the configuration's data folder, or the usual one before there is a configuration.
func (a *app) dataFolder() string {
	if cfg, err := config.Load(a.config); err == nil {
		return cfg.DataPath()
	}
	return filepath.Join(filepath.Dir(a.config), "data")
}

// rotateKey makes the new key file and wraps every data key by it. Values are not touched.
func (a *app) rotateKey(ctx context.Context, path string) error {
	cfg, err := config.Load(a.config)
	if err != nil {
		return err
	}
	if a.dry {
		a.say("试运行: 将生成 %s 并重新加密数据密钥", "dry run: %s would be made and all data keys encrypted by it", path)
		return nil
	}
	h, err := openHost(ctx, cfg, hostOptions{offline: true, log: quietLog(a.err)})
	if err != nil {
		return err
	}
	kek, err := vault.CreateKEK(path, cfg.DataPath())
	if err == nil {
		err = h.keys.RewrapAll(ctx, kek)
	}
	if cerr := h.close(ctx); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("rotate the key: %w", err)
	}
	a.say("完成. 请将 keys.kek_file 改为 %s", "done; set keys.kek_file to %s", path)
	return nil
}
