package service

import (
	"io"
	"log/slog"
	"path/filepath"

	"gopkg.in/natefinch/lumberjack.v2"
)

// openLog opens roost.log, the program's own log: JSON lines, rotated like the
// apps' output. Where a person looks on, each line goes there too, as text.
func openLog(dir string, person io.Writer) (*slog.Logger, io.Closer) {
	file := &lumberjack.Logger{Filename: filepath.Join(dir, "roost.log"), MaxSize: 10, MaxBackups: 10, Compress: true}
	var h slog.Handler = slog.NewJSONHandler(file, nil)
	if person != nil {
		h = slog.NewMultiHandler(h, slog.NewTextHandler(person, nil))
	}
	return slog.New(h), file
}
