package service

import (
	"io"
	"log/slog"

	"gopkg.in/natefinch/lumberjack.v2"
)

// openLog opens the program's own log: JSON lines, rotated like the apps' output. Where a person looks on, each line goes there too, as text.
func openLog(path string, person io.Writer) (*slog.Logger, io.Closer) {
	file := &lumberjack.Logger{Filename: path, MaxSize: 10, MaxBackups: 10, Compress: true}
	var h slog.Handler = slog.NewJSONHandler(file, nil)
	if person != nil {
		h = slog.NewMultiHandler(h, slog.NewTextHandler(person, nil))
	}
	return slog.New(h), file
}
