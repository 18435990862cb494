//go:build linux

package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// bareSize is a file's size before its writer begins again at the start.
const bareSize = 64 << 20

// preallocate makes a file whose blocks exist already, so that a sync of its data has no journal to wait for.
func preallocate(path string) (*os.File, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	zeros := make([]byte, 1<<20)
	for i := 0; err == nil && i < bareSize/len(zeros); i++ {
		_, err = f.Write(zeros)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("preallocate a file: %w", err), f.Close())
	}
	return f, nil
}

// probe says how many records of 2 KB the disk takes in a second, each with a sync of its own: the mark by which durable
// figures of different moments and machines can be told apart.
func (r *run) probe() (string, error) {
	path := filepath.Join(r.dir, "probe")
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		f, err = preallocate(path)
	}
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	record := make([]byte, eventSize)
	start, n := time.Now(), 0
	for ; time.Since(start) < 300*time.Millisecond; n++ {
		if _, err := f.WriteAt(record, int64(n)*eventSize%bareSize); err != nil {
			return "", err
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return "", fmt.Errorf("sync the probe: %w", err)
		}
	}
	return "disk now: " + number(float64(n)/time.Since(start).Seconds(), 0) + " syncs/s", nil
}

// bareWriter is the limit to compare with: no database, only records of length, checksum and body in a preallocated file,
// and one sync for whatever waits.
type bareWriter struct {
	f     *os.File
	queue chan bareRecord
	done  sync.WaitGroup
}

type bareRecord struct {
	body []byte
	done chan error
}

func newBareWriter(path string) (*bareWriter, error) {
	f, err := preallocate(path)
	if err != nil {
		return nil, err
	}
	w := &bareWriter{f: f, queue: make(chan bareRecord, 4096)}
	w.done.Go(w.run)
	return w, nil
}

func (w *bareWriter) close() error {
	close(w.queue)
	w.done.Wait()
	return w.f.Close()
}

// write returns once the record is on disk.
func (w *bareWriter) write(body []byte) error {
	r := bareRecord{body, make(chan error, 1)}
	w.queue <- r
	return <-r.done
}

func (w *bareWriter) run() {
	var offset int64
	var buf []byte
	var group []bareRecord
	for first := range w.queue {
		group = append(group[:0], first)
		for more := true; more; {
			select {
			case r, ok := <-w.queue:
				if more = ok; ok {
					group = append(group, r)
				}
			default:
				more = false
			}
		}
		buf = buf[:0]
		for _, r := range group {
			buf = binary.LittleEndian.AppendUint32(buf, uint32(len(r.body)))
			buf = binary.LittleEndian.AppendUint32(buf, crc32.ChecksumIEEE(r.body))
			buf = append(buf, r.body...)
		}
		if offset+int64(len(buf)) > bareSize {
			offset = 0
		}
		_, err := w.f.WriteAt(buf, offset)
		if err == nil {
			err = syscall.Fdatasync(int(w.f.Fd()))
		}
		offset += int64(len(buf))
		for _, r := range group {
			r.done <- err
		}
	}
}

// measureBare measures the bare grouped writer and keeps its rate.
func (r *run) measureBare(w *bareWriter) error {
	body := make([]byte, eventSize)
	d, err := drive(producers, until(time.Now().Add(r.bare)), func(int) (func(int64) error, error) {
		return func(int64) error { return w.write(body) }, nil
	})
	r.bareRate = d.rate()
	return err
}
