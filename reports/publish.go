package reports

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"duizhang/engine/fsys"
)

// A Staging is the fresh folder beside an output folder in which a run is
// written, until Publish gives it the output folder's name in one step:
//
//	.out.duizhang-1234/        private; locked while its run lives
//	.out.duizhang-1234/new/    what will be out
//	.out.duizhang-1234/tmp/    temporary files of the run
//	.out.duizhang-1234/journal from Prepare on
//	.out.duizhang-1234/old     the old out, for a moment, where folders cannot be exchanged
//
// A run that dies leaves it behind; [Recover] and [NewStaging] put that right.
type Staging struct {
	out  string // absolute
	root string
	mode fs.FileMode
	lock *folderLock
	fs   folderOps
	done bool
	left bool
}

// A folderOps are the steps of a publication that a crash may come between;
// tests take its place.
type folderOps struct {
	rename   func(from, to string) error
	exchange func(a, b string) error // errors.ErrUnsupported where the system cannot
	remove   func(path string) error
}

var systemOps = folderOps{rename: fsys.Rename, exchange: exchange, remove: fsys.RemoveAll}

// An OutputError is an output folder that cannot be used: the user named a wrong
// one (exit 2).
type OutputError struct {
	Path string
	why  [2]string // in Chinese and in English
}

// Error is Text in Chinese.
func (e *OutputError) Error() string { return e.Text(Chinese) }

// Text is what is wrong, after the folder's path.
func (e *OutputError) Text(lang Lang) string {
	return lang.pick("输出文件夹 "+e.Path+"："+e.why[0], "output folder "+e.Path+": "+e.why[1])
}

const (
	newName     = "new"
	oldName     = "old"
	tmpName     = "tmp"
	journalName = "journal"
)

// A journal says that the run beside it is whole and may be published.
type journal struct {
	Schema int `json:"schema"`
	// Token is the run that the state knows, or "" for one without state.
	Token string `json:"token"`
	// Folder identifies the new folder, so that an exchange that has happened is
	// told from one that has not.
	Folder string `json:"folder"`
}

// NewStaging makes the fresh folder for an output folder. mode is that of files
// (output.mode), 0 for 0600; folders may be looked into by whoever may read
// files. Folders that dead runs left behind are removed, publications that they
// began are completed.
//
// A link, a file, and a folder that is neither empty nor holds a summary of ours
// are an *OutputError.
func NewStaging(out string, mode fs.FileMode) (*Staging, error) {
	return newStaging(out, mode, systemOps)
}

func newStaging(out string, mode fs.FileMode, ops folderOps) (*Staging, error) {
	out, err := filepath.Abs(out)
	if err != nil {
		return nil, fmt.Errorf("output folder: %w", err)
	}
	if err := recoverAll(out, nil, ops); err != nil {
		return nil, err
	}
	if err := usable(out); err != nil {
		return nil, err
	}
	const parents = 0o755
	if err := fsys.MkdirAll(filepath.Dir(out), parents); err != nil {
		return nil, fmt.Errorf("output folder: %w", err)
	}
	if mode == 0 {
		mode = 0o600
	}
	root, lock, err := newRoot(out)
	if err != nil {
		return nil, err
	}
	s := &Staging{out: out, root: root, mode: mode, lock: lock, fs: ops}
	for _, name := range []string{newName, tmpName} {
		if err := fsys.Mkdir(filepath.Join(root, name), 0o700); err != nil {
			return nil, errors.Join(fmt.Errorf("output folder: %w", err), s.Discard())
		}
	}
	return s, nil
}

// newRoot makes a private folder and locks it. Somebody who cleans up may take
// the folder in the moment before it is locked: then another is made.
func newRoot(out string) (string, *folderLock, error) {
	for {
		root, err := fsys.MkdirTemp(filepath.Dir(out), rootPrefix(out)+"*")
		if err != nil {
			return "", nil, fmt.Errorf("output folder: %w", err)
		}
		lock, err := lockFolder(root)
		if err != nil {
			return "", nil, fmt.Errorf("output folder: %w", err)
		}
		if lock != nil {
			return root, lock, nil
		}
	}
}

func rootPrefix(out string) string { return "." + filepath.Base(out) + ".duizhang-" }

// Dir is the folder to write to.
func (s *Staging) Dir() string { return filepath.Join(s.root, newName) }

// Temp is a folder for temporary files, which go with the staging.
func (s *Staging) Temp() string { return filepath.Join(s.root, tmpName) }

// Mode is the mode of files.
func (s *Staging) Mode() fs.FileMode { return s.mode }

// Prepare makes the run durable: from now on it can be published after a crash
// too. The token is the run's name in the state, "" without one: after a crash,
// Recover publishes a run without token, and asks for one with a token.
func (s *Staging) Prepare(token string) error {
	if err := fsys.Chmod(s.Dir(), folderMode(s.mode)); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	if err := syncTree(s.Dir()); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	id, err := folderID(s.Dir())
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	b, err := json.Marshal(journal{Schema: 1, Token: token, Folder: id})
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	if err := writeDurable(filepath.Join(s.root, journalName), b); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// Publish gives the run the output folder's name, and removes the run that had
// it. It prepares the run if Prepare has not. After an error the output folder is
// the old one, or the new one.
func (s *Staging) Publish() error {
	if _, err := os.Lstat(filepath.Join(s.root, journalName)); err != nil {
		if err := s.Prepare(""); err != nil {
			return err
		}
	}
	if err := usable(s.out); err != nil {
		return err
	}
	if err := place(s.root, s.out, s.fs); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return s.end()
}

// Discard removes what was written. After Publish it does nothing.
func (s *Staging) Discard() error {
	switch {
	case s.done:
		return nil
	case s.left:
		s.done = true
		return s.lock.release()
	}
	return s.end()
}

// Leave says that the run, which is prepared, is not to be discarded any more:
// what is not published now, [Recover] completes or undoes.
func (s *Staging) Leave() { s.left = true }

// end removes the private folder. That it could not be removed is no fault of
// the run: the next one tries again.
func (s *Staging) end() error {
	s.done = true
	if exists(s.out) || !exists(filepath.Join(s.root, oldName)) {
		_ = s.fs.remove(s.root)
	} // else the old run is in there, and nowhere else: Recover puts it right
	return s.lock.release()
}

// place puts root/new in out's place. Whatever step it is called after, it goes
// on from there.
func place(root, out string, ops folderOps) error {
	fresh, old := filepath.Join(root, newName), filepath.Join(root, oldName)
	defer func() { _ = fsys.SyncFolder(filepath.Dir(out)) }()
	if !exists(out) {
		return ops.rename(fresh, out)
	}
	err := ops.exchange(fresh, out)
	if err == nil || !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if err := ops.rename(out, old); err != nil {
		return err
	}
	if err := ops.rename(fresh, out); err != nil {
		return errors.Join(err, ops.rename(old, out))
	}
	return nil
}

// Recover completes or undoes the publications to out that a crash left half
// done, and removes what dead runs left behind. committed is asked for the token
// of a run that was prepared with one: whether the state knows it. Nil is yes to
// none. What a reader sees afterwards is one whole run.
func Recover(out string, committed func(token string) bool) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return fmt.Errorf("output folder: %w", err)
	}
	return recoverAll(out, committed, systemOps)
}

func recoverAll(out string, committed func(string) bool, ops folderOps) error {
	entries, err := os.ReadDir(filepath.Dir(out))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("output folder: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), rootPrefix(out)) {
			continue
		}
		if err := recoverOne(filepath.Join(filepath.Dir(out), e.Name()), out, committed, ops); err != nil {
			return fmt.Errorf("recover %s: %w", e.Name(), err)
		}
	}
	return nil
}

// recoverOne settles one private folder, unless its run lives.
func recoverOne(root, out string, committed func(string) bool, ops folderOps) error {
	lock, err := lockFolder(root)
	if err != nil || lock == nil {
		return err
	}
	defer func() { _ = lock.release() }()
	j, prepared, err := readJournal(root)
	if err != nil {
		return err
	}
	switch {
	case !prepared:
	case exists(filepath.Join(root, oldName)) && !exists(out):
		// Between the two renames: only this step is missing.
		if err := place(root, out, ops); err != nil {
			return err
		}
	case published(root, out, j):
	case j.Token == "", committed != nil && committed(j.Token):
		if err := usable(out); err != nil {
			return err
		}
		if err := place(root, out, ops); err != nil {
			return err
		}
	case committed == nil:
		return nil // somebody who knows the state decides
	}
	return ops.remove(root)
}

// published reports whether out is already the folder of the journal.
func published(root, out string, j journal) bool {
	if !exists(filepath.Join(root, newName)) {
		return true
	}
	id, err := folderID(out)
	return err == nil && id != "" && id == j.Folder
}

func readJournal(root string) (j journal, found bool, err error) {
	b, err := os.ReadFile(filepath.Join(root, journalName))
	if errors.Is(err, fs.ErrNotExist) {
		return j, false, nil
	}
	if err != nil {
		return j, false, err
	}
	if err := json.Unmarshal(b, &j); err != nil {
		return j, false, fmt.Errorf("%s: %w", journalName, err)
	}
	return j, true, nil
}

// usable reports whether out may be replaced: there is none, or it is empty, or
// a run of ours.
func usable(out string) error {
	info, err := os.Lstat(out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("output folder: %w", err)
	case info.Mode()&fs.ModeSymlink != 0:
		return &OutputError{out, [2]string{"是链接，不是文件夹", "is a link"}}
	case !info.IsDir():
		return &OutputError{out, [2]string{"不是文件夹", "is not a folder"}}
	}
	entries, err := os.ReadDir(out)
	if err != nil {
		return fmt.Errorf("output folder: %w", err)
	}
	if len(entries) == 0 {
		return nil
	}
	b, err := os.ReadFile(filepath.Join(out, SummaryName))
	if err != nil || !isSummary(b) {
		return &OutputError{out, [2]string{
			"不是空的，也没有本程序写的 " + SummaryName, "is not empty and holds no " + SummaryName + " of ours",
		}}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// folderMode lets those look into a folder who may read its files.
func folderMode(mode fs.FileMode) fs.FileMode {
	const read = 0o444
	return mode&0o777 | mode&read>>2 | 0o700
}

// syncTree makes files and folders durable. Many small files are written back
// much faster together than one after the other.
func syncTree(dir string) error {
	const together = 16
	var g errgroup.Group
	g.SetLimit(together)
	var folders []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir():
			folders = append(folders, path)
		default:
			g.Go(func() error { return fsys.SyncFile(path) })
		}
		return nil
	})
	if err := errors.Join(err, g.Wait()); err != nil {
		return err
	}
	for i := len(folders) - 1; i >= 0; i-- {
		if err := fsys.SyncFolder(folders[i]); err != nil {
			return err
		}
	}
	return nil
}

// writeDurable writes a small file that is there whole or not at all.
func writeDurable(path string, b []byte) error {
	fresh := path + ".new"
	if err := fsys.WriteFile(fresh, b, 0o600); err != nil {
		return err
	}
	if err := fsys.SyncFile(fresh); err != nil {
		return err
	}
	if err := fsys.Rename(fresh, path); err != nil {
		return err
	}
	return fsys.SyncFolder(filepath.Dir(path))
}
