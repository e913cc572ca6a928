package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"duizhang/engine/fsys"
	"duizhang/reports"
)

// A run with state changes the state, its output folder and small files of the state
// folder. The state's commit decides, and what comes with it waits until then:
//
//	state/publishing/journal   the run's token, its output folder, what the files are
//	state/publishing/0, 1, …   files of the state folder as they will be
//	.out.duizhang-1234/        the outputs, under the same token
//
// After a crash whoever opens the state next asks it for the token: if the state has
// the run, the rest is done; if not, all of it goes.

const publishingName = "publishing"

const publicationSchema = 1

// A publication is what a run has prepared.
type publication struct {
	Schema int      `json:"schema"`
	Token  string   `json:"token"`
	Out    string   `json:"out"`   // absolute
	Files  []string `json:"files"` // of the state folder, with slashes

	state string // the folder
}

// A stateFile is a small file of the state folder, and its new content.
type stateFile struct {
	name string
	data []byte
}

// newPublication makes the files durable beside their places.
func newPublication(dir, token, out string, files []stateFile) (*publication, error) {
	p := &publication{Schema: publicationSchema, Token: token, state: dir}
	var err error
	if p.Out, err = filepath.Abs(out); err != nil {
		return nil, err
	}
	if err := fsys.RemoveAll(p.folder()); err != nil { // of a run that failed
		return nil, err
	}
	if err := fsys.Mkdir(p.folder(), 0o700); err != nil {
		return nil, err
	}
	for i, f := range files {
		p.Files = append(p.Files, f.name)
		if err := writeDurable(p.path(i), f.data); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	if err := writeDurable(p.journal()+".new", text); err != nil {
		return nil, err
	}
	if err := fsys.Rename(p.journal()+".new", p.journal()); err != nil {
		return nil, err
	}
	return p, errors.Join(fsys.SyncFolder(p.folder()), fsys.SyncFolder(dir))
}

func (p *publication) folder() string    { return filepath.Join(p.state, publishingName) }
func (p *publication) journal() string   { return filepath.Join(p.folder(), "journal") }
func (p *publication) path(i int) string { return filepath.Join(p.folder(), strconv.Itoa(i)) }

func writeDurable(file string, data []byte) error {
	f, err := fsys.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// complete puts the files in their places; it can be repeated.
func (p *publication) complete() error {
	for i, name := range p.Files {
		place := filepath.Join(p.state, filepath.FromSlash(name))
		if err := fsys.MkdirAll(filepath.Dir(place), 0o700); err != nil {
			return err
		}
		if err := fsys.Rename(p.path(i), place); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := fsys.SyncFolder(filepath.Dir(place)); err != nil {
			return err
		}
	}
	return p.remove()
}

// remove forgets the publication: the journal goes first, without which the rest is
// nothing.
func (p *publication) remove() error {
	if err := fsys.Remove(p.journal()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fsys.RemoveAll(p.folder())
}

// completePublication completes or undoes what a run that died had prepared: the
// caller has the state folder to itself.
func (a *app) completePublication(dir string, committed func(token string) bool) error {
	p := &publication{state: dir}
	data, err := os.ReadFile(p.journal())
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(p.folder()); err == nil {
			return turned(fsys.RemoveAll(p.folder()), a.unfinished)
		}
		return nil
	}
	if err == nil {
		err = json.Unmarshal(data, p)
	}
	if err == nil && p.Schema != publicationSchema {
		err = fmt.Errorf("schema %d", p.Schema)
	}
	for _, name := range p.Files {
		if err == nil && !filepath.IsLocal(filepath.FromSlash(name)) {
			err = fmt.Errorf("%q is no file of the state folder", name)
		}
	}
	if err != nil {
		return usage(a.say("%s 读不了：%v", "%s cannot be read: %v", p.journal(), a.lang.System(err)),
			a.say("上一次对账没有正常结束；移走这个文件夹，再把那一天重跑一次", "an earlier run did not end in order; move this folder away and run its day again"))
	}
	if err := reports.Recover(p.Out, committed); err != nil {
		return a.unfinished(err)
	}
	if committed(p.Token) {
		return turned(p.complete(), a.unfinished)
	}
	return turned(p.remove(), a.unfinished)
}

// settleState completes what a command that died left half done, for commands that
// do not use the history themselves. It costs nothing where there is nothing to do.
func (a *app) settleState(ctx context.Context, dir string) error {
	if _, err := os.Lstat(filepath.Join(dir, publishingName)); err != nil {
		return nil
	}
	s, err := a.openState(ctx, dir, access{})
	s.close()
	return err
}

// unfinished says that an earlier run could not be completed.
func (a *app) unfinished(err error) error {
	return &failure{status: exitUsage, err: err, hint: a.say("上一次对账没有正常结束，现在也无法收尾；排除原因后再运行", "an earlier run did not end in order and cannot be completed now; run again when the cause is gone")}
}
